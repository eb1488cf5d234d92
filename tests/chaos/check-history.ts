/**
 * What must hold whatever was killed: reads what every client wrote down, what the object holds and what Postgres holds,
 * and answers every place where they disagree or where something acknowledged is not there. Pure.
 */
import type { LoggedEvent } from "../../shared/contract/events.ts";
import type { Message } from "../../shared/contract/message.ts";
import { checkDatabase, type DatabaseCopy } from "./check-database.ts";
import { type ClientHistory, printOf } from "./history.ts";

export type Rule =
  | "sent-is-acknowledged"
  | "acknowledged-is-kept"
  | "one-seq-per-message"
  | "log-without-gaps"
  | "same-event-everywhere"
  | "reading-in-order"
  | "everyone-reads-all"
  | "own-order"
  | "one-ending"
  | "object-agrees"
  | "postgres-agrees"
  | "stranger-sees-nothing"
  | "settled";

export interface Violation {
  rule: Rule;
  conversationId: string;
  detail: string;
}

export interface Observed {
  conversationId: string;
  clients: ClientHistory[];
  /** The whole log and the messages as the object answers them. */
  object: { events: LoggedEvent[]; messages: Message[] };
  postgres: DatabaseCopy;
}

type Report = (rule: Rule, detail: string) => void;

export function checkHistory(observed: Observed): Violation[] {
  const violations: Violation[] = [];
  const report: Report = (rule, detail) =>
    violations.push({ rule, conversationId: observed.conversationId, detail: detail.slice(0, 400) });
  const added = positionsOf(observed.object.events, report);
  for (const client of observed.clients) {
    checkSends(client, added, observed.object.messages, report);
    checkReadings(client, observed.object.events, report);
  }
  checkNothingInvented(observed.clients, added, report);
  checkTurns(observed.object.events, report);
  checkObject(observed.object, report);
  for (const detail of checkDatabase(observed.object, observed.postgres)) report("postgres-agrees", detail);
  return violations;
}

/** Where each message of a person entered the log. */
function positionsOf(events: readonly LoggedEvent[], report: Report): Map<string, number> {
  const added = new Map<string, number>();
  for (const [index, { seq, event }] of events.entries()) {
    if (seq !== index + 1) report("log-without-gaps", `position ${index + 1} of the object's log holds seq ${seq}`);
    if (event.type !== "message:added") continue;
    const before = added.get(event.message.id);
    if (before !== undefined)
      report("acknowledged-is-kept", `message ${event.message.id} stands at ${before} and again at ${seq}`);
    added.set(event.message.id, seq);
  }
  return added;
}

function checkSends(
  client: ClientHistory,
  added: ReadonlyMap<string, number>,
  messages: readonly Message[],
  report: Report,
): void {
  const acked = new Map<string, number>();
  for (const { id, seq } of client.acks) {
    const before = acked.get(id);
    if (before !== undefined && before !== seq)
      report("one-seq-per-message", `${client.name}: ${id} was acknowledged at ${before} and at ${seq}`);
    acked.set(id, seq);
    const stands = added.get(id);
    if (stands === undefined) report("acknowledged-is-kept", `${client.name}: ${id}, acknowledged at ${seq}, is gone`);
    else if (stands !== seq)
      report("one-seq-per-message", `${client.name}: ${id}, acknowledged at ${seq}, stands at ${stands}`);
  }
  const words = new Map(messages.map((message) => [message.id, message]));
  let last = 0;
  for (const { id, text } of client.sent) {
    const seq = acked.get(id);
    if (seq === undefined) {
      report("sent-is-acknowledged", `${client.name}: ${id} was never acknowledged`);
      continue;
    }
    const [part] = words.get(id)?.parts ?? [];
    if (part?.type !== "text" || part.text !== text)
      report("acknowledged-is-kept", `${client.name}: ${id} says ${JSON.stringify(part)} instead of ${text}`);
    if (client.keepsOrder && seq < last) report("own-order", `${client.name}: ${id} stands at ${seq}, before ${last}`);
    last = seq;
  }
}

function checkReadings(client: ClientHistory, events: readonly LoggedEvent[], report: Report): void {
  if (client.resets > 0) report("log-without-gaps", `${client.name} found a log shorter than what it had read`);
  const prints = events.map(({ event }) => printOf(event));
  const read = new Set<number>();
  for (const { since, events: seen } of client.readings) {
    let expected = since + 1;
    for (const { seq, print } of seen) {
      if (seq !== expected)
        report("reading-in-order", `${client.name}, resumed after ${since}: ${seq} came instead of ${expected}`);
      expected = seq + 1;
      read.add(seq);
      if (prints[seq - 1] !== print)
        report("same-event-everywhere", `${client.name} saw "${print}" at ${seq}, the object has "${prints[seq - 1]}"`);
    }
  }
  const missing = events.find(({ seq }) => !read.has(seq));
  if (missing) report("everyone-reads-all", `${client.name} never saw event ${missing.seq} of ${events.length}`);
}

/** Whatever stands in the log, somebody sent. */
function checkNothingInvented(
  clients: readonly ClientHistory[],
  added: ReadonlyMap<string, number>,
  report: Report,
): void {
  const sent = new Set(clients.flatMap((client) => client.sent.map(({ id }) => id)));
  for (const [id, seq] of added)
    if (!sent.has(id)) report("acknowledged-is-kept", `${id} at ${seq} was sent by nobody`);
}

function checkTurns(events: readonly LoggedEvent[], report: Report): void {
  const started = new Map<string, string>();
  const endings = new Map<string, number>();
  const answered = new Set<string>();
  const turnsOf = new Map<string, number>();
  for (const { event } of events) {
    if (event.type === "turn:started") {
      if (started.has(event.turnId)) report("one-ending", `turn ${event.turnId} started twice`);
      started.set(event.turnId, event.replyTo);
      turnsOf.set(event.replyTo, (turnsOf.get(event.replyTo) ?? 0) + 1);
    }
    const isEnding =
      event.type === "turn:completed" ||
      event.type === "turn:failed" ||
      (event.type === "turn:interrupted" && !event.willContinue);
    if (!isEnding) continue;
    endings.set(event.turnId, (endings.get(event.turnId) ?? 0) + 1);
    answered.add(started.get(event.turnId) ?? "");
    if ("message" in event) for (const id of event.message.metadata.steeredBy ?? []) answered.add(id);
  }
  for (const turnId of started.keys()) {
    const count = endings.get(turnId) ?? 0;
    if (count !== 1) report("one-ending", `turn ${turnId} has ${count} endings`);
  }
  for (const turnId of endings.keys()) if (!started.has(turnId)) report("one-ending", `turn ${turnId} ended unstarted`);
  for (const { event } of events) {
    if (event.type !== "message:added") continue;
    if (!answered.has(event.message.id)) report("one-ending", `message ${event.message.id} was never answered`);
    if ((turnsOf.get(event.message.id) ?? 0) > 1) report("one-ending", `message ${event.message.id} has several turns`);
  }
}

function checkObject({ events, messages }: Observed["object"], report: Report): void {
  const listed = new Map(messages.map((message) => [message.id, message]));
  if (listed.size !== messages.length) report("object-agrees", "the object lists a message twice");
  const expected = events.flatMap(({ seq, event }) => {
    if (event.type === "message:added") return [{ id: event.message.id, seq }];
    return event.type === "turn:started" ? [{ id: event.messageId, seq }] : [];
  });
  for (const { id, seq } of expected) {
    const found = listed.get(id);
    if (found?.seq !== seq) report("object-agrees", `message ${id} of event ${seq} is listed at ${found?.seq}`);
  }
  if (expected.length !== messages.length)
    report("object-agrees", `the log makes ${expected.length} messages, the object lists ${messages.length}`);
}
