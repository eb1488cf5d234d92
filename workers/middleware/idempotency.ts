import { v5 } from "uuid";
import { AppError } from "../../shared/domain/app-error.ts";
import type { OnceKey } from "../../shared/ports/conversation-object.ts";
import type { Scope } from "../../shared/ports/conversation-store.ts";
import type { Services } from "../../shared/runtime/services.ts";
import { keyedHash, toHex } from "./keyed-hash.ts";

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

type HashSettings = Parameters<typeof keyedHash>[0];

/** JSON with sorted keys, so that the same body is the same text whatever order its fields came in. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  ) ?? "";

/** What a body is recognised by, in hex: keyed, because a body may hold a secret and this is written down. */
export const fingerprintOf = async (settings: HashSettings, body: unknown): Promise<string> =>
  toHex(await keyedHash(settings, "fingerprint", canonical(body)));

/**
 * For a write that the conversation's object carries out: the object itself keeps the key and its answer, so that it
 * needs no database. Null without a key.
 */
export async function onceKeyOf(call: {
  services: Pick<Services, "settings">;
  request: Request;
  idempotencyKey: string | undefined;
  body: unknown;
}): Promise<OnceKey | null> {
  if (call.idempotencyKey === undefined) return null;
  const { pathname } = new URL(call.request.url);
  return {
    key: `${call.request.method} ${pathname} ${call.idempotencyKey}`,
    fingerprint: await fingerprintOf(call.services.settings, call.body),
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
  { settings, idempotency: store }: Pick<Services, "settings" | "idempotency">,
  write: KeyedWrite,
  run: (id: string) => Promise<Outcome>,
): Promise<Outcome & { id: string; replayed: boolean }> {
  const fingerprint = await fingerprintOf(settings, write.body);
  const id = idOf(write, fingerprint);
  const known = await store.begin(write.scope, write.key, fingerprint);
  if (known.state === "different") throw keyReused();
  if (known.state === "done") return { status: known.status, body: known.body, id, replayed: true };
  let outcome: Outcome;
  try {
    outcome = await run(id);
  } catch (error) {
    await store.abandon(write.scope, write.key);
    throw error;
  }
  await store.finish(write.scope, write.key, outcome.status, outcome.body);
  return { ...outcome, id, replayed: false };
}
