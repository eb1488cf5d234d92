import { v5 } from "uuid";
import { AppError } from "../../shared/domain/app-error.ts";
import type { IdempotencyStore } from "../../shared/ports/account-store.ts";
import type { OnceKey } from "../../shared/ports/conversation-object.ts";
import type { Scope } from "../../shared/ports/conversation-store.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws AppError `invalid_request` when the header is there but unusable. */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const key = headers.get("idempotency-key");
  if (key === null) return undefined;
  if (KEY.test(key)) return key;
  const message = "is 1 to 255 printable ASCII characters without spaces";
  throw new AppError("invalid_request", `\`Idempotency-Key\`: ${message}`, {
    errors: [{ path: "Idempotency-Key", message }],
  });
}

/** JSON with sorted keys, so that the same body is the same text whatever order its fields came in. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  ) ?? "";

/** SHA-256 in hex of the body's canonical form. */
export async function fingerprintOf(body: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(body)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * For a write that the conversation's object carries out: the object itself keeps the key and its answer, so that it
 * needs no database. Null without a key.
 */
export async function onceKeyOf(call: {
  request: Request;
  idempotencyKey: string | undefined;
  body: unknown;
}): Promise<OnceKey | null> {
  if (call.idempotencyKey === undefined) return null;
  const { pathname } = new URL(call.request.url);
  return {
    key: `${call.request.method} ${pathname} ${call.idempotencyKey}`,
    fingerprint: await fingerprintOf(call.body),
  };
}

export interface KeyedWrite {
  scope: Scope;
  /** Keys of different endpoints never meet: `POST /api/conversations <key>`. */
  key: string;
  body: unknown;
}

interface Outcome {
  status: number;
  body: unknown;
}

const keyReused = () =>
  new AppError("idempotency_conflict", "This Idempotency-Key was used with another body; take a new key.");

/** The namespace of ids that are made from `Idempotency-Key`s; changing it makes retries create twice. */
const NAMESPACE = "0b3c5c52-6a3f-4a0e-8f57-0d9c6c1f3a44";

/** The id of what a keyed write creates: the same request makes the same thing, however often it is cut off. */
export const idOf = ({ scope, key }: KeyedWrite, fingerprint: string): string =>
  v5(`${scope.userId} ${key} ${fingerprint}`, NAMESPACE);

/**
 * Runs a creating write, and answers its repetitions as the first time. One whose first try is still open, or was cut
 * off, runs beside it: `run` gets the id of what it creates, and finds what is there under that id already.
 * @throws AppError `idempotency_conflict` (other body)
 */
export async function runOnce(
  store: IdempotencyStore,
  write: KeyedWrite,
  run: (id: string) => Promise<Outcome>,
): Promise<Outcome & { replayed: boolean }> {
  const fingerprint = await fingerprintOf(write.body);
  const known = await store.begin(write.scope, write.key, fingerprint);
  if (known.state === "different") throw keyReused();
  if (known.state === "done") return { status: known.status, body: known.body, replayed: true };
  let outcome: Outcome;
  try {
    outcome = await run(idOf(write, fingerprint));
  } catch (error) {
    await store.abandon(write.scope, write.key);
    throw error;
  }
  await store.finish(write.scope, write.key, outcome.status, outcome.body);
  return { ...outcome, replayed: false };
}
