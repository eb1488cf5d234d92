import type { Conversation, UpdateConversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent } from "../../shared/contract/events.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import { covers, rightOf } from "../../shared/domain/access/authorise.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail } from "../../shared/domain/app-error.ts";
import type { PinnedModel } from "./pinned-model.ts";
import { principalOf } from "./reader.ts";
import { publish, type Room } from "./room.ts";
import { broadcastSession } from "./session-info.ts";

export const CHANGE_ALARM = "change";
/**
 * After this long a request to Postgres was carried out, or never will be. A database that hung for a minute does what it
 * was asked meanwhile.
 */
const SETTLED_AFTER_MS = 120_000;
const CHANGING = "changing";

/** What Postgres was asked to change and may have changed; all of it, where several requests are under way. */
interface Intent {
  /** Who asked last. */
  by: string;
  /** Epoch milliseconds until which the row may still change. */
  untilMs: number;
  changes: UpdateConversation;
  pin: PinnedModel | null;
}

/** How many answers of Postgres this instance waits for: while it does, a change has not happened here. */
const waiting = new WeakMap<Room, number>();
/** Where an answer was lost, what a later one says may not be the last word. */
const lostAnswers = new WeakSet<Room>();

function intentOf({ journal }: Pick<Room, "journal">): Intent | null {
  const stored = journal.meta(CHANGING);
  return stored ? (JSON.parse(stored) as Intent) : null;
}

/** Whether Postgres may have changed something that this object did not hear of. */
export const isUnsettled = (room: Room): boolean => (waiting.get(room) ?? 0) === 0 && intentOf(room) !== null;

export const isChangeExpected = (room: Pick<Room, "journal">): boolean => intentOf(room) !== null;

/** Written before Postgres is asked: should this object end before it has the answer, it looks again when it wakes. */
export function expectChange(room: Room, by: string, changes: UpdateConversation, pin: PinnedModel | null): void {
  const before = intentOf(room);
  const untilMs = room.services.now().getTime() + SETTLED_AFTER_MS;
  const merged = { ...before?.changes, ...changes };
  if (before?.changes.visibility === "private") merged.visibility = "private";
  const intent: Intent = {
    by,
    untilMs,
    changes: merged,
    pin: changes.model === undefined ? (before?.pin ?? null) : pin,
  };
  room.journal.setMeta(CHANGING, JSON.stringify(intent));
  room.alarms.schedule(CHANGE_ALARM, untilMs);
  waiting.set(room, (waiting.get(room) ?? 0) + 1);
}

/**
 * The object lost its storage, and with it what it had asked Postgres for: that may still be carried out, and is looked
 * for once it was or never will be.
 */
export function expectLateChange(room: Room, by: string): void {
  const { journal, services, alarms } = room;
  const { title, model } = journal.born;
  const untilMs = services.now().getTime() + SETTLED_AFTER_MS;
  const intent: Intent = { by, untilMs, changes: { title, model }, pin: null };
  journal.setMeta(CHANGING, JSON.stringify(intent));
  alarms.schedule(CHANGE_ALARM, untilMs);
}

/** An answer came: the row as it is, or null where nothing was changed. */
export function answered(room: Room, stored: Conversation | null): void {
  const left = (waiting.get(room) ?? 1) - 1;
  waiting.set(room, left);
  if (room.journal.conversation) adopt(room, stored, left === 0 && !lostAnswers.has(room));
}

/** No answer came: the change may have happened. */
export function answerLost(room: Room): void {
  waiting.set(room, (waiting.get(room) ?? 1) - 1);
  if (room.journal.conversation) doubt(room);
}

/** The object woke, or lost an answer: who may be shut out by now is, and Postgres is asked by an alarm. */
export function doubt(room: Room): void {
  const intent = intentOf(room);
  if (!intent) return;
  lostAnswers.add(room);
  if (intent.changes.visibility === "private") closeAllWithout(room, { ...room.journal.born, visibility: "private" });
  room.alarms.schedule(CHANGE_ALARM, room.services.now().getTime());
}

/**
 * For someone whose access hangs on a change that may have happened: Postgres says whether they see the conversation.
 * @returns null when nothing hangs on it, or when it did not happen; else why they are refused
 */
export async function refusedInDoubt(room: Room, principal: Principal): Promise<Result<never> | null> {
  const { journal, services } = room;
  if (!isUnsettled(room) || intentOf(room)?.changes.visibility !== "private") return null;
  if (["own", "none"].includes(rightOf(principal, journal.born))) return null;
  try {
    const found = await services.conversations.find({ userId: principal.userId }, room.id);
    if (!found || !journal.conversation) return fail("not_found", "There is no such conversation.");
    adopt(room, found.conversation, false);
    return null;
  } catch (error) {
    console.warn(`conversation ${room.id}: whether it is still shared is not known:`, error);
    const told = "Whether this conversation is still shared cannot be told right now; try again in a moment.";
    return fail("database_unavailable", told);
  }
}

/**
 * Reads the row again and takes over what it says.
 * @throws AppError `database_unavailable`
 */
export async function lookAgain(room: Room): Promise<void> {
  const { journal, services, alarms } = room;
  const intent = intentOf(room);
  if (!journal.conversation || !intent) return;
  const isOver = services.now().getTime() >= intent.untilMs;
  const { ownerUserId } = journal.born;
  let found = await services.conversations.find({ userId: ownerUserId }, room.id);
  // The owner may have left the workspace.
  if (!found && intent.by !== ownerUserId) found = await services.conversations.find({ userId: intent.by }, room.id);
  if (!journal.conversation || !found) return; // whoever asks next learns what they may see
  const isNewest = intentOf(room)?.untilMs === intent.untilMs && (waiting.get(room) ?? 0) === 0;
  adopt(room, found.conversation, isOver && isNewest);
  if (isChangeExpected(room)) alarms.schedule(CHANGE_ALARM, Math.max(intent.untilMs, services.now().getTime()));
}

/** From the alarm. */
export async function tendChange(room: Room): Promise<void> {
  try {
    await lookAgain(room);
  } catch (error) {
    console.warn(`conversation ${room.id}: whether it was changed is asked again:`, error);
    if (!room.journal.conversation) return;
    room.alarms.schedule(CHANGE_ALARM, room.services.now().getTime() + SETTLED_AFTER_MS);
  }
}

/** The row goes into the log, and to everyone attached; with it goes the intent, when it `settles` everything. */
function adopt(room: Room, stored: Conversation | null, settles: boolean): void {
  const { journal } = room;
  const intent = intentOf(room);
  const before = journal.born;
  const isNew = stored !== null && stored.version > before.version; // else a later change was quicker and stands
  if (settles) lostAnswers.delete(room);
  if (!isNew && !(settles && intent)) return;
  const logged = journal.transact(() => {
    if (settles) journal.setMeta(CHANGING, "");
    if (!isNew) return [];
    const appended = journal.append(...eventsOf(before, stored, intent));
    if (intent?.pin && intent.pin.name === stored.model) journal.setMeta("pinned", JSON.stringify(intent.pin));
    const { visibility, version, updatedAt } = stored;
    journal.saveConversation({ ...journal.born, visibility, version, updatedAt });
    return appended;
  });
  if (!isNew) return;
  publish(room, logged);
  closeAllWithout(room, journal.born);
  broadcastSession(room);
}

/** Only what was asked for: of the rest this object may know more than Postgres has been told yet. */
function eventsOf(before: Conversation, stored: Conversation, intent: Intent | null): ConversationEvent[] {
  const events: ConversationEvent[] = [];
  if (intent?.changes.title !== undefined && stored.title !== before.title)
    events.push({ type: "title:changed", title: stored.title });
  if (intent?.changes.model !== undefined && stored.model !== before.model)
    events.push({ type: "model:switched", model: stored.model, pinned: stored.model !== null });
  return events;
}

function closeAllWithout({ sessions }: Room, access: Conversation): void {
  const isShutOut = (each: Parameters<typeof principalOf>[0]): boolean =>
    !covers(rightOf(principalOf(each), access), "read");
  sessions.close(isShutOut, CLOSE.revoked, "this conversation is no longer shared");
}
