import * as z from "zod";
import { parseKeyRing } from "../../contract/key-ring.ts";
import type { ProviderSecret } from "../../domain/providers/provider-record.ts";
import {
  type CredentialVault,
  type SecretBinding,
  type SecretChange,
  VaultError,
} from "../../ports/credential-vault.ts";
import { type Bytes, IV_BYTES, readSealed, type SealedText, writeSealed } from "./sealed-text.ts";

const Secret = z.strictObject({
  apiKey: z.string().exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  oauth: z
    .strictObject({
      accessToken: z.string(),
      refreshToken: z.string().exactOptional(),
      expiresAtMs: z.number().exactOptional(),
      scope: z.string().exactOptional(),
    })
    .exactOptional(),
  pending: z
    .strictObject({
      verifier: z.string().exactOptional(),
      deviceCode: z.string().exactOptional(),
      userCode: z.string().exactOptional(),
    })
    .exactOptional(),
});

const DATA_KEY_BYTES = 32;

/** As the platform at hand names it. */
type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/**
 * The vault over WebCrypto: AES-256-GCM twice, a new data key for every sealing. Both layers are bound to whose secret it
 * is; the outer one to its key's name as well.
 * @param keys `CREDENTIALS_KEYS`
 * @throws Error with one sentence that repeats nothing of it
 */
export function createCredentialVault(keys: string): CredentialVault {
  const ring = parseKeyRing(keys);
  if (!ring.ok) throw new Error(`CREDENTIALS_KEYS: ${ring.problem}.`);
  const newest = ring.keys[0].id;
  const imported = new Map<string, Promise<AesKey>>();
  const keyNamed = (id: string): Promise<AesKey> => {
    const known = imported.get(id);
    if (known) return known;
    const found = ring.keys.find((key) => key.id === id);
    if (!found) throw unknownKey(id);
    const key = aesKey(found.bytes);
    imported.set(id, key);
    return key;
  };
  const wrap = async (dataKey: Bytes, binding: SecretBinding): Promise<Bytes> => {
    const { iv, ciphertext } = await encrypt(await keyNamed(newest), dataKey, aadOf("key", newest, binding));
    return join(iv, ciphertext);
  };
  const unwrap = async ({ keyId, wrapped }: SealedText, binding: SecretBinding): Promise<Bytes> => {
    const box = { iv: wrapped.slice(0, IV_BYTES), ciphertext: wrapped.slice(IV_BYTES) };
    return await decrypt(await keyNamed(keyId), box, aadOf("key", keyId, binding));
  };
  const seal = async (secret: ProviderSecret, binding: SecretBinding): Promise<string> => {
    const dataKey = crypto.getRandomValues(new Uint8Array(DATA_KEY_BYTES));
    const plain = utf8(JSON.stringify(Secret.parse(secret)));
    const content = await encrypt(await aesKey(dataKey), plain, aadOf("secret", "", binding));
    return writeSealed({ keyId: newest, wrapped: await wrap(dataKey, binding), ...content });
  };
  const open = async (sealed: string, binding: SecretBinding): Promise<ProviderSecret> => {
    const text = readSealed(sealed);
    const dataKey = await aesKey(await unwrap(text, binding));
    return parseSecret(await decrypt(dataKey, text, aadOf("secret", "", binding)));
  };
  const keyOf = (sealed: string): string | null => {
    try {
      return readSealed(sealed).keyId;
    } catch {
      return null;
    }
  };
  return {
    newestKey: newest,
    seal,
    open,
    keyOf,
    opens: (sealed) => ring.keys.some(({ id }) => id === keyOf(sealed)),
    amend: async (sealed, binding, change) => {
      const left = changed(sealed === null ? {} : await open(sealed, binding), change);
      return Object.keys(left).length === 0 ? null : await seal(left, binding);
    },
    rewrap: async (sealed, binding) => {
      const text = readSealed(sealed);
      const wrapped = await wrap(await unwrap(text, binding), binding);
      return writeSealed({ ...text, keyId: newest, wrapped });
    },
  };
}

function changed(secret: ProviderSecret, { apiKey, headers = secret.headers }: SecretChange): ProviderSecret {
  const { apiKey: oldKey, oauth } = secret;
  const key =
    apiKey === undefined ? { ...(oldKey === undefined ? {} : { apiKey: oldKey }), ...(oauth ? { oauth } : {}) } : {};
  return {
    ...key,
    ...(typeof apiKey === "string" ? { apiKey } : {}),
    ...(headers && Object.keys(headers).length > 0 ? { headers } : {}),
  };
}

/** What both layers are bound to, in a form in which no two bindings read the same. */
const aadOf = (layer: "key" | "secret", keyId: string, binding: SecretBinding): Bytes => {
  const { scope, workspaceId, ownerUserId, kind, recordId } = binding;
  return utf8(
    JSON.stringify(["mosaic", "v1", layer, keyId, scope, workspaceId ?? "", ownerUserId ?? "", kind, recordId]),
  );
};

const utf8 = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));

const aesKey = (bytes: Bytes): Promise<AesKey> =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

async function encrypt(key: AesKey, plain: Bytes, additionalData: Bytes): Promise<{ iv: Bytes; ciphertext: Bytes }> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain);
  return { iv, ciphertext: new Uint8Array(ciphertext) };
}

async function decrypt(key: AesKey, box: { iv: Bytes; ciphertext: Bytes }, additionalData: Bytes): Promise<Bytes> {
  try {
    const { iv, ciphertext } = box;
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, ciphertext));
  } catch {
    throw new VaultError(
      "tampered",
      "This saved credential was changed, or belongs to something else. Enter it again.",
    );
  }
}

const unknownKey = (id: string): VaultError =>
  new VaultError(
    "unknown-key",
    `This credential was saved under the key "${id}", which CREDENTIALS_KEYS does not have. Put that key back there, or enter the credential again.`,
  );

/** Nothing of the text comes out, whatever is wrong with it. */
function parseSecret(plain: Bytes): ProviderSecret {
  try {
    return Secret.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain)));
  } catch {
    throw new VaultError("malformed", "This saved credential cannot be read any more. Enter it again.");
  }
}

function join(one: Bytes, other: Bytes): Bytes {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
