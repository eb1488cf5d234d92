import type { Result } from "../../shared/contract/errors.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import type { Room } from "./room.ts";
import { asResult } from "./update.ts";

export const ERASE_ALARM = "erase";
/** After this long a deletion has come to its end, or its object has. */
const LOOK_AGAIN_MS = 30_000;
const ERASING = "erasing";
/**
 * How long an object remembers a revoked credential. Postgres refuses it from its end on; what was confirmed before is
 * believed for as long as a proof (ten minutes and a clock's error) or a request that is under way.
 */
export const REVOKED_FOR_MS = 3_600_000;

/**
 * The end of a conversation: its rows go first, because without Postgres nothing may be gone that the lists still show;
 * then the running turn, the sockets and the object's own storage.
 */
export function removeConversation(room: Room, principal: Principal, ifVersion?: number): Promise<Result<null>> {
  return asResult(async () => {
    const { journal, services } = room;
    if (ifVersion !== undefined && ifVersion !== journal.born.version) {
      return fail("version_conflict", "This conversation was changed meanwhile; read it again before deleting it.");
    }
    expectErasure(room);
    await services.conversations.erase({ userId: principal.userId }, room.id);
    await eraseObject(room);
    return ok(null);
  });
}

/** The same at the end of the owner's account: also where they have left its workspace. */
export function removeOwned(room: Room, principal: Principal): Promise<Result<null>> {
  return asResult(async () => {
    const { conversation } = room.journal;
    if (conversation && conversation.ownerUserId !== principal.userId)
      return fail("not_found", "There is no such conversation.");
    expectErasure(room);
    await room.services.conversations.eraseOwn({ userId: principal.userId }, room.id);
    await eraseObject(room);
    return ok(null);
  });
}

/** From here until everything is gone, an answer of Postgres may be lost, or the object itself: an alarm looks again. */
function expectErasure({ journal, alarms, services }: Room): void {
  if (!journal.conversation) return;
  journal.setMeta(ERASING, "1");
  alarms.schedule(ERASE_ALARM, services.now().getTime() + LOOK_AGAIN_MS);
}

export const isErasureExpected = ({ journal }: Pick<Room, "journal">): boolean => journal.meta(ERASING) === "1";

/**
 * From the alarm: where the rows are gone, the object follows; where they are there, nothing was deleted. Nobody else
 * would come for what the lists do not show any more.
 */
export async function endErasure(room: Room): Promise<void> {
  const { journal, services, alarms } = room;
  if (!journal.conversation || !isErasureExpected(room)) return;
  const { ownerUserId } = journal.born;
  try {
    const isThere = (await services.conversations.ownIds({ userId: ownerUserId })).includes(room.id);
    if (!journal.conversation) return;
    if (isThere) journal.setMeta(ERASING, "");
    else await eraseObject(room);
  } catch (error) {
    console.warn(`conversation ${room.id}: whether it was deleted is asked again:`, error);
    if (journal.conversation) alarms.schedule(ERASE_ALARM, services.now().getTime() + LOOK_AGAIN_MS);
  }
}

/** A drain that is under way finds no conversation, here or in Postgres; what it holds goes nowhere. */
async function eraseObject({ journal, queue, sessions, storage }: Room): Promise<void> {
  queue.abandon();
  journal.forget();
  sessions.close(() => true, CLOSE.deleted, "this conversation was deleted");
  sessions.endListeners();
  await storage.deleteAlarm();
  await storage.deleteAll();
}

/** A credential or a membership ended: its sockets, streams, tickets and proofs end, and the credential is not believed here again. */
export function revoke(room: Room, what: { credentialId: string } | { userId: string; workspaceId: string }): void {
  const { journal, sessions, storage, services, attachments } = room;
  if (!journal.conversation) return;
  attachments.revoke(what);
  if ("credentialId" in what) {
    const at = services.now().getTime();
    storage.sql.exec("delete from revoked where at <= ?", at - REVOKED_FOR_MS);
    storage.sql.exec("insert or replace into revoked (credential_id, at) values (?, ?)", what.credentialId, at);
    sessions.close((each) => each.credentialId === what.credentialId, CLOSE.revoked, "this sign-in was revoked");
  } else {
    room.configuration.forget(what.userId);
    sessions.close(
      (each) => each.userId === what.userId && each.workspaceId === what.workspaceId,
      CLOSE.revoked,
      "your access to this workspace has changed",
    );
  }
}
