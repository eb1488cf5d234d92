import type { Principal, SignInProof } from "../../domain/access/principal.ts";
import { isRecent, type Proven, signedText } from "../../domain/access/recent-proof.ts";
import type { RecalledSignIn } from "../../ports/sign-in.ts";
import { type ShownCredential, shownCredential } from "./credentials.ts";
import type { SignInSettings } from "./sign-in-options.ts";

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type Settings = Pick<SignInSettings, "PUBLIC_URL" | "BETTER_AUTH_SECRET">;

const HMAC = { name: "HMAC", hash: "SHA-256", length: 256 };
const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(text));

/** Keys of their own for hashes and signatures, so that neither can pass for anything else made with the secret. */
async function derivedKey(secret: string, purpose: string): Promise<Key> {
  const material = await crypto.subtle.importKey("raw", bytes(secret), "HKDF", false, ["deriveKey"]);
  const how = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: bytes(`mosaic sign-in proof: ${purpose}`),
  };
  return await crypto.subtle.deriveKey(how, material, HMAC, false, ["sign", "verify"]);
}

const toHex = (mac: ArrayBuffer): string =>
  Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");

const fromHex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The secret itself, whichever way it came; null for a cookie that we did not sign. */
const secretOf = (shown: ShownCredential): string | null =>
  shown.via === "cookie"
    ? shown.sessionToken
    : shown.via === "api-key"
      ? shown.apiKey
      : (shown.sessionToken ?? shown.apiKey);

/** Proofs of a sign-in of a moment ago: for requests that come while Postgres is away. */
export function createProofs(settings: Settings) {
  const keys = new Map<string, Key>();
  const keyFor = async (purpose: "credential" | "signature"): Promise<Key> => {
    const known = keys.get(purpose) ?? (await derivedKey(settings.BETTER_AUTH_SECRET, purpose));
    keys.set(purpose, known);
    return known;
  };
  const hashOf = async (shown: ShownCredential): Promise<string | null> => {
    const secret = secretOf(shown);
    if (secret === null) return null;
    return toHex(await crypto.subtle.sign("HMAC", await keyFor("credential"), bytes(secret)));
  };
  const isSigned = async (principal: Principal, proof: SignInProof): Promise<boolean> =>
    await crypto.subtle.verify(
      "HMAC",
      await keyFor("signature"),
      fromHex(proof.signature),
      bytes(signedText(principal, proof)),
    );
  const sign = async (principal: Principal, said: Omit<SignInProof, "signature">): Promise<SignInProof> => {
    const mac = await crypto.subtle.sign("HMAC", await keyFor("signature"), bytes(signedText(principal, said)));
    return { ...said, signature: toHex(mac) };
  };
  return {
    async prove(headers: Headers, principal: Principal, now: Date): Promise<SignInProof | null> {
      const shown = await shownCredential(headers, settings);
      const credentialHash = shown && (await hashOf(shown));
      if (!credentialHash) return null;
      return await sign(principal, { credentialHash, provenAt: now.getTime() });
    },
    async renew({ proof, ...principal }: Proven, now: Date): Promise<Proven | null> {
      if (!(await isSigned(principal, proof))) return null;
      const { credentialHash } = proof;
      return { ...principal, proof: await sign(principal, { credentialHash, provenAt: now.getTime() }) };
    },
    async recall(
      headers: Headers,
      now: Date,
      find: (credentialHash: string) => Promise<Proven | null>,
    ): Promise<RecalledSignIn | null> {
      const shown = await shownCredential(headers, settings);
      const credentialHash = shown && (await hashOf(shown));
      const kept = credentialHash ? await find(credentialHash) : null;
      if (!shown || !kept) return null;
      const { proof, ...principal } = kept;
      if (proof.credentialHash !== credentialHash || !isRecent(proof, now.getTime())) return null;
      // A key is no session, and a session is no key: neither passes for the other in the wrong header.
      if (
        shown.via === "cookie"
          ? principal.credential !== "session"
          : shown.via === "api-key" && principal.credential !== "api-key"
      )
        return null;
      if (!(await isSigned(principal, proof))) return null;
      return {
        principal: { ...principal, isInstanceAdmin: false },
        via: principal.credential === "api-key" ? "api-key" : shown.via,
      };
    },
  };
}
