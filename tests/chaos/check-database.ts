import type { LoggedEvent } from "../../shared/contract/events.ts";
import type { Message } from "../../shared/contract/message.ts";
import { textOf } from "../../shared/contract/message.ts";

/** The rows of one conversation, by what they must agree in. */
export interface DatabaseCopy {
  events: { seq: number; event: unknown }[];
  messages: {
    id: string;
    seq: number;
    updatedSeq: number;
    parentId: string | null;
    role: string;
    text: string;
    finishReason: string | null;
  }[];
  turns: { id: string; messageId: string; replyTo: string; receiptId: string; state: string }[];
  receipts: { id: string; turnId: string }[];
  lastSeq: number;
  headId: string | null;
}

/** JSON with sorted keys: Postgres keeps none of their order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  ) ?? "";

const STATES: Readonly<Record<string, string>> = {
  "turn:completed": "completed",
  "turn:interrupted": "interrupted",
  "turn:failed": "failed",
};

/** What the tables must hold, made from the log alone: written here once more on purpose, not taken from what ships. */
function expectedTurns(events: readonly LoggedEvent[]): DatabaseCopy["turns"] {
  const turns = new Map<string, DatabaseCopy["turns"][number]>();
  for (const { event } of events) {
    if (event.type === "turn:started") {
      const { turnId: id, messageId, replyTo, receipt } = event;
      turns.set(id, { id, messageId, replyTo, receiptId: receipt.id, state: "running" });
    }
    const state = STATES[event.type];
    const turn = "turnId" in event ? turns.get(event.turnId) : undefined;
    if (state !== undefined && turn) turn.state = state;
  }
  return [...turns.values()];
}

function differences<Item>(
  what: string,
  expected: readonly Item[],
  found: readonly Item[],
  key: (item: Item) => string | number,
): string[] {
  const rows = new Map(found.map((item) => [key(item), canonical(item)]));
  const problems = rows.size === found.length ? [] : [`Postgres holds one of the ${what} twice`];
  for (const item of expected) {
    const row = rows.get(key(item));
    rows.delete(key(item));
    if (row === canonical(item)) continue;
    problems.push(`Postgres holds of ${what} ${key(item)}: ${row ?? "nothing"} instead of ${canonical(item)}`);
  }
  for (const extra of rows.keys()) problems.push(`Postgres holds of ${what} ${extra}, which the object does not know`);
  return problems;
}

/** Every place where the copy in Postgres is not what the object's log makes. Pure. */
export function checkDatabase(
  object: { events: readonly LoggedEvent[]; messages: readonly Message[] },
  copy: DatabaseCopy,
): string[] {
  const messages = object.messages.map((message) => ({
    id: message.id,
    seq: message.seq,
    updatedSeq: message.updatedSeq,
    parentId: message.parentId,
    role: message.role,
    text: textOf(message.parts),
    finishReason: message.metadata.finishReason ?? null,
  }));
  const turns = expectedTurns(object.events);
  const head = object.events.reduce<string | null>((id, { event }) => {
    if (event.type === "message:added") return event.message.id;
    if (event.type === "turn:started" || event.type === "head:moved") return event.messageId;
    return id;
  }, null);
  const problems = [
    ...differences(
      "events",
      object.events.map(({ seq, event }) => ({ seq, event })),
      copy.events,
      (row) => row.seq,
    ),
    ...differences("messages", messages, copy.messages, (row) => row.id),
    ...differences("turns", turns, copy.turns, (row) => row.id),
    ...differences(
      "receipts",
      turns.map(({ id, receiptId }) => ({ id: receiptId, turnId: id })),
      copy.receipts,
      (row) => row.id,
    ),
  ];
  if (copy.lastSeq !== object.events.length)
    problems.push(`Postgres follows the log up to ${copy.lastSeq} of ${object.events.length}`);
  if (copy.headId !== head) problems.push(`Postgres has the head at ${copy.headId}, the log at ${head}`);
  return problems;
}
