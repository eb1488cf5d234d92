import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import type { Room } from "./room.ts";
import type { Attachment, Sessions } from "./sessions.ts";
import { Tickets } from "./tickets.ts";

type Attached = Pick<Attachment, "userId" | "credentialId">;

export function attachmentFor(room: Room, principal: Principal): Attachment {
  const { workspaceId } = room.journal.born;
  return {
    id: room.services.newId(),
    userId: principal.userId,
    name: principal.name.slice(0, 100),
    credentialId: principal.credentialId,
    credential: principal.credential,
    workspaceId,
    role: principal.workspaces.find((workspace) => workspace.id === workspaceId)?.role ?? "viewer",
    expiresAt: principal.expiresAt,
    kind: null,
  };
}

const tails = new WeakMap<Sessions, Promise<void>>();

/** One after the other: the end of an old connection must not erase what the new one of the same credential wrote. */
function inTurn({ sessions }: Room, work: () => Promise<void>): Promise<void> {
  const done = (tails.get(sessions) ?? Promise.resolve()).then(work);
  tails.set(
    sessions,
    done.catch(() => {}),
  );
  return done;
}

/**
 * Writes down where a revocation has to look for this credential. Whoever is attached must be known here already, so
 * that `detach` counts them. Settle it before the caller hears of success, or a revocation may miss them.
 * @throws AppError `database_unavailable`; `not_found` for someone who cannot see the conversation any more
 */
export const recordAttachment = (room: Room, { userId, credentialId }: Attached): Promise<void> =>
  inTurn(room, async () => {
    const seen = await room.services.accounts.recordAttachment({ userId }, room.id, credentialId);
    // They lost access between their proof and now: nothing would ever end what is attached unrecorded.
    if (!seen) throw new AppError("not_found", "There is no such conversation.");
  });

/** Someone is gone. When nothing of their credential is left here, a revocation need not look for it any more. */
export function detach(room: Room, { userId, credentialId }: Attached): void {
  const removed = inTurn(room, async () => {
    if (!room.journal.conversation || room.sessions.has((each) => each.credentialId === credentialId)) return;
    if (new Tickets(room.storage.sql, room.services.now).isPending(credentialId)) return;
    await room.services.accounts.removeAttachment({ userId }, room.id, credentialId);
  });
  room.background(removed);
}
