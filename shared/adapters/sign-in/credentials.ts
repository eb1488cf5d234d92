import type { SignInSettings } from "./sign-in-options.ts";

/** What a request shows to prove who sent it. A null inside means: sent, but worth nothing. */
export type ShownCredential =
  | { via: "api-key"; apiKey: string }
  | { via: "bearer"; sessionToken: string | null; apiKey: string }
  | { via: "cookie"; sessionToken: string | null };

/** The cookie's name as better-auth makes it. */
export const sessionCookieName = ({ PUBLIC_URL }: Pick<SignInSettings, "PUBLIC_URL">): string =>
  `${PUBLIC_URL.startsWith("https:") ? "__Secure-" : ""}better-auth.session_token`;

/** The most explicit credential of the request: `x-api-key`, then `Authorization: Bearer`, then the session cookie. */
export async function shownCredential(
  headers: Headers,
  settings: Pick<SignInSettings, "PUBLIC_URL" | "BETTER_AUTH_SECRET">,
): Promise<ShownCredential | null> {
  const apiKey = headers.get("x-api-key")?.trim();
  if (apiKey) return { via: "api-key", apiKey };
  const bearer = /^bearer +(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (bearer) {
    const signed = bearer.includes(".") ? await verifySigned(bearer, settings.BETTER_AUTH_SECRET) : bearer;
    return { via: "bearer", sessionToken: signed, apiKey: bearer };
  }
  const cookie = readCookie(headers.get("cookie") ?? "", sessionCookieName(settings));
  if (!cookie) return null;
  return { via: "cookie", sessionToken: await verifySigned(cookie, settings.BETTER_AUTH_SECRET) };
}

function readCookie(header: string, name: string): string | null {
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/** `token.signature`, percent-encoded or not; the signature is HMAC-SHA-256 in base64. @returns the token, or null. */
async function verifySigned(value: string, secret: string): Promise<string | null> {
  try {
    const text = value.includes("%") ? decodeURIComponent(value) : value;
    const at = text.lastIndexOf(".");
    const signature = Uint8Array.from(atob(text.slice(at + 1)), (letter) => letter.charCodeAt(0));
    const bytes = (part: string) => new TextEncoder().encode(part);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["verify"]);
    const token = text.slice(0, at);
    return (await crypto.subtle.verify("HMAC", key, signature, bytes(token))) ? token : null;
  } catch {
    return null;
  }
}
