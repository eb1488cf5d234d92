const HMAC = { name: "HMAC", hash: "SHA-256" };

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(text));

async function mac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, HMAC, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes(text)));
}

/**
 * HMAC-SHA-256 under a key of its own for each purpose, so that a hash made for one thing proves nothing for another.
 * Whoever reads the database cannot try out what was hashed.
 */
export const keyedHash = async (
  { BETTER_AUTH_SECRET }: { BETTER_AUTH_SECRET: string },
  purpose: string,
  text: string,
): Promise<Uint8Array<ArrayBuffer>> => mac(await mac(bytes(BETTER_AUTH_SECRET), `mosaic edge: ${purpose}`), text);

export const toHex = (hash: Uint8Array): string =>
  Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const toBase64Url = (hash: Uint8Array): string =>
  btoa(String.fromCharCode(...hash))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
