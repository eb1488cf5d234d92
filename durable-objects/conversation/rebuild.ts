import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { changesOf } from "../../shared/domain/conversation/project.ts";
import { publish, type Room } from "./room.ts";
import { asResult } from "./update.ts";

const REBUILD_PAGE = 500;

/**
 * An object that knows nothing asks Postgres, on behalf of who asks: either nobody ever made this conversation, or its
 * storage was lost and everything comes back from the log that was drained.
 */
export function rebuild(room: Room, principal: Principal): Promise<Result<Conversation>> {
  return asResult(async () => {
    const { services, journal } = room;
    const scope = { userId: principal.userId };
    const found = await services.conversations.find(scope, room.id);
    if (!found) return fail("not_found", "There is no such conversation.");
    const events: LoggedEvent[] = [];
    while ((events.at(-1)?.seq ?? 0) < found.lastSeq) {
      const page = await services.conversations.events(scope, room.id, events.at(-1)?.seq ?? 0, REBUILD_PAGE);
      if (page.length === 0) break;
      events.push(...page);
    }
    if (journal.conversation) return ok(journal.born); // someone else was faster
    const log = withoutHoles(events);
    journal.birth({ ...found.conversation, headId: null }, log);
    const lost = journal.transact(() => {
      restoreTurns(room, log);
      return journal.append(...openTurns(log).map(lostTurn));
    });
    publish(room, lost);
    room.queue.kick();
    return ok(journal.born);
  });
}

/** A place whose event Postgres refused is taken by one that changes nothing: positions have no gaps. */
function withoutHoles(events: readonly LoggedEvent[]): LoggedEvent[] {
  const log: LoggedEvent[] = [];
  let headId: string | null = null;
  for (const logged of events) {
    while ((log.at(-1)?.seq ?? 0) + 1 < logged.seq) {
      log.push({ seq: (log.at(-1)?.seq ?? 0) + 1, at: logged.at, event: { type: "head:moved", messageId: headId } });
    }
    log.push(logged);
    for (const change of changesOf(logged)) if (change.kind === "head") headId = change.messageId;
  }
  return log;
}

/** What the object keeps beside the log: turns, totals, the last receipt. Call inside `transact`. */
function restoreTurns({ journal, turns, services }: Room, log: readonly LoggedEvent[]): void {
  const asked = new Map<string, number>();
  for (const { seq, at, event } of log) {
    if (event.type === "message:added" && event.message.role === "user" && !event.message.metadata.forkedFrom) {
      asked.set(event.message.id, seq);
    }
    if (event.type === "message:deleted") asked.delete(event.messageId);
    if (event.type === "turn:started") {
      const { turnId: id, messageId, replyTo, receipt } = event;
      asked.delete(replyTo);
      turns.add(
        { id, messageId, replyTo, model: journal.message(replyTo)?.message.metadata.model ?? null },
        "started",
        seq,
      );
      turns.markRunning(id, receipt, Date.parse(at));
      journal.setMeta("receipt", JSON.stringify(receipt));
    }
    if (event.type === "turn:completed" || event.type === "turn:interrupted") {
      for (const messageId of event.message.metadata.steeredBy ?? []) asked.delete(messageId);
    }
    if (event.type === "turn:completed") {
      turns.end(event.turnId, "completed");
      journal.addUsage(event.usage, event.message.metadata.microUsd ?? 0);
    }
    if (event.type === "turn:interrupted" && !event.willContinue) {
      turns.end(event.turnId, "interrupted");
      const { usage, microUsd = 0 } = event.message.metadata;
      if (usage) journal.addUsage(usage, microUsd);
    }
    if (event.type === "turn:failed") turns.end(event.turnId, "failed");
  }
  for (const turnId of openTurns(log)) turns.end(turnId, "failed");
  // Accepted and never begun: they are answered now.
  for (const [replyTo, seq] of asked) {
    const model = journal.message(replyTo)?.message.metadata.model ?? null;
    turns.add({ id: services.newId(), messageId: services.newId(), replyTo, model }, "queued", seq);
  }
}

/** Turns that began in the log and have no ending there. */
function openTurns(events: readonly LoggedEvent[]): string[] {
  const open = new Set<string>();
  for (const { event } of events) {
    if (event.type === "turn:started") open.add(event.turnId);
    else if (event.type === "turn:completed" || event.type === "turn:failed") open.delete(event.turnId);
    else if (event.type === "turn:interrupted" && !event.willContinue) open.delete(event.turnId);
  }
  return [...open];
}

const lostTurn = (turnId: string): ConversationEvent => ({
  type: "turn:failed",
  turnId,
  error: { code: "internal", message: "The server lost this answer while it was being written; ask again." },
  canRetry: true,
});
