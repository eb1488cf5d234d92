/** The form of `CREDENTIALS_KEYS`: `name:base64 of 32 bytes`, several with commas between. The first seals, all open. */
export interface RingKey {
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export type KeyRing = { ok: true; keys: [RingKey, ...RingKey[]] } | { ok: false; problem: string };

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const KEY_BYTES = 32;

const problem = (sentence: string): { ok: false; problem: string } => ({ ok: false, problem: sentence });

/** Mistakes are told by position: what stands there may be a key, also where a name should be. */
export function parseKeyRing(text: string): KeyRing {
  if (text.trim() === "")
    return problem('is empty; make a key with `echo "k1:$(openssl rand -base64 32)"` and always keep it');
  const keys: RingKey[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const at = `entry ${index + 1}`;
    const [id = "", encoded, ...more] = entry.trim().split(":");
    if (encoded === undefined || more.length > 0) return problem(`${at} is not of the form name:base64`);
    if (!KEY_ID.test(id)) return problem(`${at} needs a name of 1 to 32 letters, digits, - or _ before the colon`);
    const bytes = decode(encoded);
    if (!bytes) return problem(`${at} is not base64 after the colon`);
    if (bytes.length !== KEY_BYTES)
      return problem(`${at} is a key of ${bytes.length} bytes; it must have ${KEY_BYTES}`);
    const twin = keys.findIndex((key) => key.id === id);
    if (twin >= 0) return problem(`${at} has the same name as entry ${twin + 1}; give each key a name of its own`);
    keys.push({ id, bytes });
  }
  const [first, ...others] = keys;
  return first ? { ok: true, keys: [first, ...others] } : problem("is empty");
}

function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const binary = atob(text);
    // One spelling only: what has stray bits or blanks in it was damaged on its way here.
    return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
