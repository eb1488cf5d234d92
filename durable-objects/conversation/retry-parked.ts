import { AppError } from "../../shared/domain/app-error.ts";
import type { DrainOutcome, EventBatch, EventSink } from "../../shared/ports/conversation-store.ts";
import { BATCH, type Backlog } from "./backlog.ts";
import type { Journal } from "./journal.ts";
import type { ParkedEvents } from "./parked-events.ts";

interface Deps {
  journal: Journal;
  sink: EventSink;
  backlog: Backlog;
  parked: ParkedEvents;
  now: () => number;
}

/**
 * Tries a refused event again. Once Postgres has it, everything behind it goes there a second time: what came later may
 * have changed, ended or deleted what it adds. Repeating it changes nothing.
 * @throws AppError `database_unavailable`
 */
export async function retryParked({ journal, sink, backlog, parked, now }: Deps, seq: number): Promise<void> {
  const [event] = backlog.after(seq - 1, { events: 1, length: 1 });
  if (!event || event.seq !== seq) return;
  const send = async (events: EventBatch["events"], current?: EventBatch["current"]): Promise<DrainOutcome> => {
    const { id, workspaceId, ownerUserId } = journal.born;
    const batch = { conversationId: id, workspaceId, events, ...(current ? { current } : {}) };
    const outcome = await sink.drain({ userId: ownerUserId }, batch);
    if (!journal.conversation) throw new AppError("not_found", "There is no such conversation.");
    if (!outcome.ok && outcome.retry) {
      throw new AppError("database_unavailable", "The database cannot be reached right now; try again in a moment.");
    }
    return outcome;
  };
  const first = await send([event]);
  if (!first.ok) return parked.park(seq, event.event.type, first.message, now());
  const missing = parked.seqsFrom(seq);
  let from = seq;
  while (from < journal.drainedSeq) {
    const page = backlog.after(from, BATCH).filter((each) => each.seq <= journal.drainedSeq);
    const last = page.at(-1);
    if (!last) break;
    from = last.seq;
    const known = page.filter((each) => !missing.has(each.seq));
    if (known.length > 0) await send(known);
  }
  const { headId, title, model } = journal.born;
  await send([event], { headId, title, model });
  parked.settle(seq, "completed", now());
}
