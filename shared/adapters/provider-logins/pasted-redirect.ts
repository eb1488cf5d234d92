import { AppError } from "../../domain/app-error.ts";

/** Only these mean anything; what else a vendor appends is dropped. */
const NAMES = ["code", "state", "iss", "error", "error_description"] as const;

const refuse = (message: string): never => {
  throw new AppError("invalid_request", message, { errors: [{ path: "url", message }] });
};

/** A terminal breaks long lines, mail programs add brackets, people copy quotes along. An address has none of them. */
const unwrapped = (text: string): string => text.replaceAll(/[\s<>"'`\u200b-\u200d\ufeff]/g, "");

/**
 * What the vendor says by way of an address, from the address as the browser shows it, or its part behind the `?` alone.
 * @throws AppError `invalid_request` with one sentence that says what to paste
 */
export function readRedirect(pasted: string, redirectUri: string): URLSearchParams {
  const text = unwrapped(pasted);
  const whole = `Paste the whole address of the page where the login ended; it starts with ${redirectUri}.`;
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(text);
  const full = isAddress ? text : `${redirectUri}?${text.replace(/^[^?]*\?/, "")}`;
  if (!URL.canParse(full)) return refuse(whole);
  const url = new URL(full);
  const expected = new URL(redirectUri);
  if (url.origin !== expected.origin || url.pathname !== expected.pathname) return refuse(whole);
  const found = new URLSearchParams();
  for (const name of NAMES) {
    const values = url.searchParams.getAll(name);
    if (values.length > 1) return refuse(`This address names \`${name}\` twice; start the login again.`);
    if (values[0]) found.set(name, values[0]);
  }
  if (!found.has("state") || found.has("code") === found.has("error")) return refuse(whole);
  return found;
}
