import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderSecret } from "../../domain/providers/provider-record.ts";
import { type SecretBinding, VaultError } from "../../ports/credential-vault.ts";
import { createCredentialVault } from "./credential-vault.ts";

const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64");
const OLD = `k1:${key(1)}`;
const NEW = `k2:${key(2)}`;

const API_KEY = "sk-canary-0123456789abcdef";
const secret: ProviderSecret = { apiKey: API_KEY, headers: { "CF-Access-Client-Secret": "canary-header" } };
const binding: SecretBinding = {
  recordId: "0199b6a8-0000-7000-8000-000000000001",
  kind: "openai",
  scope: "user",
  workspaceId: null,
  ownerUserId: "0199b6a8-0000-7000-8000-00000000000a",
};

/** Why it was refused; fails when it was not, or when the sentence gives something away. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  if (!(error instanceof VaultError)) return "";
  expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(/canary/);
  expect(error.message).not.toContain(key(1));
  expect(error.message).toMatch(/again|back there/);
  return error.why;
}

describe("the credential vault", () => {
  const vault = createCredentialVault(OLD);

  it("gives back what was sealed, and nothing of it can be read in the sealed text", async () => {
    const sealed = await vault.seal(secret, binding);
    expect(await vault.open(sealed, binding)).toEqual(secret);
    expect(sealed).toMatch(/^v1\.k1(\.[\w-]+){3}$/);
    expect(sealed).not.toContain("canary");
    const bytes = sealed.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(bytes.join()).not.toContain("canary");
    expect(vault.keyOf(sealed)).toBe("k1");
    const oauth = { accessToken: "a", refreshToken: "r", expiresAtMs: 5, scope: "s" };
    expect(await vault.open(await vault.seal({ oauth, pending: { verifier: "v" } }, binding), binding)).toEqual({
      oauth,
      pending: { verifier: "v" },
    });
  });

  it("refuses 10,000 texts that differ in one bit", async () => {
    const sealed = await vault.seal(secret, binding);
    const bytes = Buffer.from(sealed, "latin1");
    // Every bit of the text at least once, then whole bits of what the text stands for.
    const flips = Array.from({ length: 10_000 }, (_, index) => index % (bytes.length * 8));
    const seen = new Set<string>();
    const attempts = flips.map((bit, index) => {
      const text = index < bytes.length * 8 ? flippedText(bytes, bit) : flippedPart(sealed, index);
      seen.add(text);
      return vault.open(text, binding).then(
        () => "opened",
        (error: unknown) => (error instanceof VaultError ? error.why : String(error)),
      );
    });
    const outcomes = new Set(await Promise.all(attempts));
    expect([...outcomes].toSorted()).toEqual(["malformed", "tampered", "unknown-key"]);
    expect(seen.has(sealed)).toBe(false);
    expect(seen.size).toBeGreaterThan(bytes.length * 8);
  });

  it("refuses another spelling of the same bytes, something more, and anything that is no sealed text", async () => {
    const sealed = await vault.seal(secret, binding);
    const spellings = [
      `${sealed}=`,
      `${sealed}A`,
      ` ${sealed}`,
      `${sealed}\n`,
      `${sealed}.`,
      sealed.replace("v1", "v2"),
    ];
    const cut = [sealed.slice(0, -1), sealed.slice(0, -4), sealed.slice(1), sealed.split(".").slice(0, 4).join(".")];
    for (const text of [...spellings, ...cut, "", "v1....", "v1.k1.A.A.A", API_KEY, "x".repeat(200_000)]) {
      expect(["malformed", "tampered"]).toContain(await refusal(vault.open(text, binding)));
    }
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        expect(await refusal(vault.open(text, binding))).toBe("malformed");
        expect(vault.keyOf(text)).toBeNull();
      }),
    );
  });

  it("opens nothing for another user, workspace, scope, kind or record, in either layer", async () => {
    const whole: SecretBinding = {
      ...binding,
      scope: "workspace",
      workspaceId: "0199b6a8-0000-7000-8000-0000000000f1",
    };
    for (const own of [binding, whole]) {
      const sealed = await vault.seal(secret, own);
      const others: SecretBinding[] = [
        { ...own, ownerUserId: "0199b6a8-0000-7000-8000-00000000000b" },
        { ...own, ownerUserId: null },
        { ...own, workspaceId: "0199b6a8-0000-7000-8000-0000000000f2" },
        { ...own, workspaceId: own.ownerUserId, ownerUserId: own.workspaceId },
        { ...own, scope: "system" },
        { ...own, kind: "anthropic" },
        { ...own, recordId: "0199b6a8-0000-7000-8000-000000000002" },
        { ...own, recordId: "", kind: `${own.kind}${own.recordId}` },
      ];
      for (const other of others) {
        expect(await refusal(vault.open(sealed, other))).toBe("tampered");
        expect(await refusal(vault.rewrap(sealed, other))).toBe("tampered");
        expect(await refusal(vault.amend(sealed, other, { headers: {} }))).toBe("tampered");
      }
    }
  });

  it("refuses one record's content under another's data key, whoever owns both", async () => {
    const other: SecretBinding = { ...binding, recordId: "0199b6a8-0000-7000-8000-000000000002" };
    const [mine, again, theirs] = await Promise.all([
      vault.seal(secret, binding),
      vault.seal({ apiKey: "canary-2" }, binding),
      vault.seal(secret, other),
    ]);
    for (const donor of [again, theirs]) {
      for (const part of [2, 3, 4]) {
        const parts = mine.split(".");
        parts[part] = donor.split(".")[part] ?? "";
        expect(await refusal(vault.open(parts.join("."), binding))).toBe("tampered");
      }
    }
  });

  it("never uses a data key, a nonce or a text twice", async () => {
    const sealed = await Promise.all(Array.from({ length: 500 }, () => vault.seal(secret, binding)));
    const parts = sealed.map((text) => text.split("."));
    for (const part of [2, 3, 4]) expect(new Set(parts.map((split) => split[part])).size).toBe(sealed.length);
    const nonces = parts.flatMap(([, , wrapped = "", iv]) => [wrapped.slice(0, 16), iv]);
    expect(new Set(nonces).size).toBe(2 * sealed.length);
    const dataKeys = await Promise.all(sealed.map((text) => dataKeyOf(text)));
    expect(new Set(dataKeys).size).toBe(sealed.length);
  });

  it("opens what old keys sealed while the ring has them, seals under the first, and says which key is missing", async () => {
    const sealed = await vault.seal(secret, binding);
    const both = createCredentialVault(`${NEW},${OLD}`);
    const later = createCredentialVault(NEW);
    expect(await both.open(sealed, binding)).toEqual(secret);
    expect(both.keyOf(await both.seal(secret, binding))).toBe("k2");
    expect([both, later].map((ring) => ring.opens(sealed))).toEqual([true, false]);
    expect(both.opens("v1.k1.nonsense")).toBe(false);
    expect(await refusal(later.open(sealed, binding))).toBe("unknown-key");
    await expect(later.open(sealed, binding)).rejects.toThrow(
      'This credential was saved under the key "k1", which CREDENTIALS_KEYS does not have.',
    );
    const impostor = createCredentialVault(`k1:${key(9)}`);
    expect(await refusal(impostor.open(sealed, binding))).toBe("tampered");
  });

  it("re-wraps a data key without touching the secret, and takes no text back under the old key's name", async () => {
    const sealed = await vault.seal(secret, binding);
    const both = createCredentialVault(`${NEW},${OLD}`);
    const moved = await both.rewrap(sealed, binding);
    expect(both.keyOf(moved)).toBe("k2");
    expect(moved.split(".").slice(3)).toEqual(sealed.split(".").slice(3));
    expect(await createCredentialVault(NEW).open(moved, binding)).toEqual(secret);
    expect(await refusal(both.open(moved.replace("v1.k2.", "v1.k1."), binding))).toBe("tampered");
    expect(await refusal(createCredentialVault(NEW).rewrap(sealed, binding))).toBe("unknown-key");
    expect(await refusal(both.rewrap("v1.k1.nonsense", binding))).toBe("malformed");
  });

  it("refuses the same key under another name", async () => {
    const sealed = await vault.seal(secret, binding);
    const twins = createCredentialVault(`${OLD},k3:${key(1)}`);
    expect(await refusal(twins.open(sealed.replace("v1.k1.", "v1.k3."), binding))).toBe("tampered");
  });

  it("changes a part of a secret, keeps the rest, and leaves nothing where nothing is left", async () => {
    const oauth = { accessToken: "canary-access" };
    const login = await vault.seal({ oauth, headers: { A: "1" } }, binding);
    const opened = async (sealed: string | null) => (sealed === null ? null : await vault.open(sealed, binding));
    expect(await opened(await vault.amend(login, binding, { headers: { B: "2" } }))).toEqual({
      oauth,
      headers: { B: "2" },
    });
    expect(await opened(await vault.amend(login, binding, { apiKey: "k" }))).toEqual({
      apiKey: "k",
      headers: { A: "1" },
    });
    expect(await opened(await vault.amend(login, binding, { apiKey: null }))).toEqual({ headers: { A: "1" } });
    expect(await vault.amend(login, binding, { apiKey: null, headers: {} })).toBeNull();
    expect(await opened(await vault.amend(null, binding, { apiKey: "k" }))).toEqual({ apiKey: "k" });
    expect(await vault.amend(null, binding, {})).toBeNull();
    expect(await vault.amend(login, binding, {})).not.toBe(login);
  });

  it("starts with no ring that has a mistake, in a sentence that repeats none of it", () => {
    expect(() => createCredentialVault(`k1:${API_KEY}`)).toThrow(/^CREDENTIALS_KEYS: entry 1 is not base64/);
    expect(() => createCredentialVault("")).toThrow(/^CREDENTIALS_KEYS: is empty/);
  });
});

function flippedText(bytes: Buffer, bit: number): string {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy.toString("latin1");
}

/** One bit of the bytes behind one of the three encoded parts. */
function flippedPart(sealed: string, index: number): string {
  const parts = sealed.split(".");
  const part = 2 + (index % 3);
  const bytes = Buffer.from(parts[part] ?? "", "base64url");
  const bit = Math.floor(index / 3) % (bytes.length * 8);
  parts[part] = Buffer.from(flippedText(bytes, bit), "latin1").toString("base64url");
  return parts.join(".");
}

/** The data key itself, unwrapped by hand with the ring's key. */
async function dataKeyOf(sealed: string): Promise<string> {
  const [, id, wrapped = ""] = sealed.split(".");
  const bytes = Buffer.from(wrapped, "base64url");
  const ringKey = await crypto.subtle.importKey("raw", Buffer.from(key(1), "base64"), "AES-GCM", false, ["decrypt"]);
  const { scope, workspaceId, ownerUserId, kind, recordId } = binding;
  const bound = ["mosaic", "v1", "key", id, scope, workspaceId ?? "", ownerUserId ?? "", kind, recordId];
  const additionalData = new TextEncoder().encode(JSON.stringify(bound));
  const box = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData };
  return Buffer.from(await crypto.subtle.decrypt(box, ringKey, bytes.subarray(12))).toString("hex");
}
