/** The text of a sealed secret: `v1.<key id>.<wrapped data key>.<iv>.<ciphertext>`, bytes in base64url. */
import { VaultError } from "../../ports/credential-vault.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export interface SealedText {
  keyId: string;
  /** Nonce (12 bytes) and the data key under the ring's key (48 bytes). */
  wrapped: Bytes;
  iv: Bytes;
  ciphertext: Bytes;
}

export const IV_BYTES = 12;
const WRAPPED_BYTES = IV_BYTES + 32 + 16;
const TAG_BYTES = 16;
const FORM = /^v1\.([A-Za-z0-9_-]{1,32})\.([\w-]+)\.([\w-]+)\.([\w-]+)$/;
const MAX_LENGTH = 100_000;

export const writeSealed = ({ keyId, wrapped, iv, ciphertext }: SealedText): string =>
  ["v1", keyId, ...[wrapped, iv, ciphertext].map(encode)].join(".");

/** @throws VaultError `malformed` */
export function readSealed(text: string): SealedText {
  const [, keyId = "", ...parts] = (text.length <= MAX_LENGTH && FORM.exec(text)) || [];
  const [wrapped, iv, ciphertext] = parts.map(decode);
  const fits =
    wrapped?.length === WRAPPED_BYTES && iv?.length === IV_BYTES && ciphertext && ciphertext.length >= TAG_BYTES;
  if (!fits) throw new VaultError("malformed", "This saved credential cannot be read any more. Enter it again.");
  return { keyId, wrapped, iv, ciphertext };
}

function encode(bytes: Bytes): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Null for anything but the one spelling of these bytes: stray bits at the end would be a change that nothing notices. */
function decode(text: string): Bytes | null {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return encode(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}
