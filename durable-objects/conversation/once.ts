import * as z from "zod";
import { type EditMessage, SendAccepted, type SendMessage } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ClientKind } from "../../shared/contract/frames.ts";
import type { Message } from "../../shared/contract/message.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import type { OnceKey } from "../../shared/ports/conversation-object.ts";
import { editMessage, sendMessage } from "./messages.ts";
import type { Room } from "./room.ts";

const KEPT_FOR_MS = 24 * 60 * 60_000;

const REUSED = fail("idempotency_conflict", "This Idempotency-Key was used with another body; take a new key.");

/** What became of the request that this key stood for first; null for a new key. */
function answered(room: Room, principal: Principal, { key, fingerprint }: OnceKey): Result<unknown> | null {
  const [row] = room.storage.sql
    .exec<{ fingerprint: string; answer: string }>(
      "select fingerprint, answer from idempotency_keys where key = ?",
      `${principal.userId} ${key}`,
    )
    .toArray();
  if (!row) return null;
  return row.fingerprint === fingerprint ? ok(JSON.parse(row.answer)) : REUSED;
}

/** Nothing is awaited between the write and this, so both are on disk or neither is. */
function remember(room: Room, principal: Principal, { key, fingerprint }: OnceKey, answer: unknown): void {
  const { sql } = room.storage;
  const at = room.services.now().getTime();
  sql.exec("delete from idempotency_keys where at < ?", at - KEPT_FOR_MS);
  sql.exec(
    "insert into idempotency_keys (key, fingerprint, answer, at) values (?, ?, ?, ?)",
    `${principal.userId} ${key}`,
    fingerprint,
    JSON.stringify(answer),
    at,
  );
}

/**
 * Sends a message, under a key at most once: the same request again gets the first answer, and its turn; another one is
 * refused. What was refused left nothing behind and may be tried again.
 */
export function sendOnce(
  room: Room,
  principal: Principal,
  body: SendMessage & { id: string },
  client: ClientKind,
  once: OnceKey | null,
): Result<SendAccepted & { duplicate: boolean }> {
  const before = once && answered(room, principal, once);
  if (before) return before.ok ? ok({ ...SendAccepted.parse(before.value), duplicate: true }) : before;
  const sent = sendMessage(room, principal, body.id, body, client);
  if (once && sent.ok) {
    const { messageId, seq, state, turnId } = sent.value;
    remember(room, principal, once, { messageId, seq, state, turnId });
  }
  return sent;
}

const Edited = z.object({ id: z.string() });

/** Edits a message, under a key at most once: a repetition finds the sibling that the first one made. */
export function editOnce(
  room: Room,
  principal: Principal,
  messageId: string,
  body: EditMessage,
  once: OnceKey | null,
): Result<Message> {
  const before = once && answered(room, principal, once);
  if (before && !before.ok) return before;
  if (before) {
    const stored = room.journal.message(Edited.parse(before.value).id);
    return stored && !stored.deleted
      ? ok(stored.message)
      : fail("not_found", "The message that this Idempotency-Key made was deleted.");
  }
  const edited = editMessage(room, principal, messageId, body);
  if (once && edited.ok) remember(room, principal, once, { id: edited.value.id });
  return edited;
}
