/** Reads what a finished schedule left behind and says what must not be. */
import { reduceAll } from "../../shared/client/view.ts";
import { emptyView, type View } from "../../shared/client/view-state.ts";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import { shownText } from "./model/faults.ts";
import { Postgres } from "./model/postgres.ts";
import { aConversation, type World } from "./model/world.ts";

type Report = (check: string, detail: string) => void;

/**
 * While nobody is attached, what was begun has ended and has reached Postgres: the object needs no client to bring its
 * work to an end.
 */
export function checkAlone(world: World): void {
  const log = readLog(world);
  const open = world.disk.read("select id, state from turns where state in ('queued', 'running')");
  if (open.length > 0)
    world.violation("no client is needed", `turn ${open[0]?.id} is ${open[0]?.state} while nobody is there`);
  const parked = world.disk.read("select seq from parked where status <> 'completed'").length;
  if (world.postgres.events.size + parked < log.length)
    world.violation(
      "no client is needed",
      `${log.length - world.postgres.events.size} events wait while nobody is there`,
    );
}

/** Adds everything that is wrong to the world's violations; nothing where the promise was kept. */
export function checkWorld(world: World): void {
  const report: Report = (check, detail) => world.violation(check, detail);
  const log = readLog(world);
  const parked = new Set(
    world.disk.read("select seq from parked where status <> 'completed'").map((row) => Number(row.seq)),
  );
  checkPositions(log, report);
  checkAcknowledged(world, log, report);
  checkEndings(log, report);
  checkAnswered(log, report);
  checkShown(world, log, report);
  checkPostgres(world, log, parked, report);
  checkViews(world, log, report);
  checkTools(world, report);
  checkSaved(world, log, report);
  checkIdle(world, report);
}

function readLog(world: World): LoggedEvent[] {
  return world.disk
    .read("select seq, at, body from events order by seq")
    .map((row) => ({ seq: Number(row.seq), at: String(row.at), event: JSON.parse(String(row.body)) }));
}

const addedId = ({ event }: LoggedEvent): string | null => (event.type === "message:added" ? event.message.id : null);

function checkPositions(log: readonly LoggedEvent[], report: Report): void {
  log.forEach(({ seq }, index) => {
    if (seq !== index + 1) report("positions have no gap", `event ${index + 1} of the log has position ${seq}`);
  });
}

function checkAcknowledged({ history, devices }: World, log: readonly LoggedEvent[], report: Report): void {
  const places = new Map<string, number[]>();
  for (const logged of log) {
    const id = addedId(logged);
    if (id !== null) places.set(id, [...(places.get(id) ?? []), logged.seq]);
  }
  for (const [id, seqs] of places) {
    if (seqs.length > 1) report("present once", `message ${id} is in the log at ${seqs.join(" and ")}`);
  }
  for (const [id, seq] of history.acknowledged) {
    const [at] = places.get(id) ?? [];
    if (at === undefined) report("acknowledged is never lost", `message ${id} was acknowledged at ${seq} and is gone`);
    else if (at !== seq)
      report("one message, one place", `message ${id} was acknowledged at ${seq} and stands at ${at}`);
  }
  for (const id of history.edited) {
    if (!places.has(id)) report("acknowledged is never lost", `edited message ${id} is gone`);
  }
  for (const id of history.deleted) {
    const gone = log.some(({ event }) => event.type === "message:deleted" && event.messageId === id);
    if (!gone) report("acknowledged is never lost", `message ${id} was deleted and is still there`);
  }
  for (const id of history.kept) {
    if (!places.has(id) && !history.refused.has(id) && !isRefused(devices, id))
      report("kept is delivered", `message ${id} was kept in an outbox and never arrived`);
  }
  for (const [device, ids] of history.inOrder) {
    const seqs = ids.map((id) => places.get(id)?.[0] ?? 0);
    if (seqs.some((seq, index) => index > 0 && seq <= (seqs[index - 1] ?? 0)))
      report(
        "first in, first out",
        `client ${device} waited for its acknowledgements, and the log has ${seqs.join(", ")}`,
      );
  }
}

const isRefused = (devices: World["devices"], id: string): boolean =>
  devices.some(({ records }) => records.get(id)?.includes('"refused"'));

const isEnding = (event: ConversationEvent): boolean =>
  event.type === "turn:completed" ||
  event.type === "turn:failed" ||
  (event.type === "turn:interrupted" && !event.willContinue);

function checkEndings(log: readonly LoggedEvent[], report: Report): void {
  const begun = new Set<string>();
  const ended = new Map<string, number>();
  for (const { seq, event } of log) {
    if (!("turnId" in event)) continue;
    const { turnId } = event;
    if (event.type === "turn:started") {
      if (begun.has(turnId)) report("a turn starts once", `turn ${turnId} starts again at ${seq}`);
      begun.add(turnId);
    } else if (!begun.has(turnId))
      report("a turn starts first", `${event.type} at ${seq} of a turn that never started`);
    else if (ended.has(turnId))
      report("one ending", `${event.type} at ${seq} after the turn ended at ${ended.get(turnId)}`);
    if (isEnding(event)) ended.set(turnId, seq);
  }
  for (const turnId of begun) if (!ended.has(turnId)) report("one ending", `turn ${turnId} has no ending`);
}

/** Every question got its turn, or reached the model within another's. */
function checkAnswered(log: readonly LoggedEvent[], report: Report): void {
  const asked = new Map<string, number>();
  for (const { seq, event } of log) {
    if (event.type === "message:added" && event.message.role === "user") asked.set(event.message.id, seq);
    if (event.type === "turn:started") asked.delete(event.replyTo);
    if (event.type === "message:deleted") asked.delete(event.messageId);
    if ("message" in event) for (const id of event.message.metadata.steeredBy ?? []) asked.delete(id);
  }
  for (const [id, seq] of asked) report("every question is answered", `message ${id} at ${seq} never had a turn`);
}

function checkShown({ history }: World, log: readonly LoggedEvent[], report: Report): void {
  for (const [seq, name] of history.shown) {
    const logged = log[seq - 1];
    const event = logged?.event;
    const stored = event
      ? `${event.type} ${"message" in event ? event.message.id : "turnId" in event ? event.turnId : ""}`
      : "nothing";
    if (stored !== name)
      report("shown is durable", `position ${seq} was shown as "${name}", and the log has "${stored}"`);
  }
}

const comparable = (value: unknown): string => JSON.stringify(value, (_key, each) => sorted(each));

const sorted = (value: unknown): unknown =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

function checkPostgres({ postgres }: World, log: readonly LoggedEvent[], parked: Set<number>, report: Report): void {
  const wanted = log.filter(({ seq }) => !parked.has(seq));
  for (const logged of wanted) {
    const row = postgres.events.get(logged.seq);
    if (!row) report("Postgres has the log", `event ${logged.seq} (${logged.event.type}) is not in Postgres`);
    else if (JSON.stringify(row) !== JSON.stringify(logged) && comparable(row) !== comparable(logged))
      report("Postgres has the log", `event ${logged.seq} differs: ${comparable(row)} and ${comparable(logged)}`);
  }
  if (parked.size > 0 && postgres.jobs.size < parked.size)
    report("what is parked is told", `${parked.size} events are parked, ${postgres.jobs.size} are told of`);
  if (postgres.events.size > wanted.length)
    report("Postgres has the log", `${postgres.events.size} rows for ${wanted.length} events`);
  const fresh = new Postgres(aConversation());
  fresh.drain(wanted);
  for (const table of ["messages", "turns"] as const) {
    const rows = postgres[table];
    for (const [id, row] of fresh[table]) {
      const stored = rows.get(id);
      if (JSON.stringify(stored) !== JSON.stringify(row) && comparable(stored) !== comparable(row))
        report(
          "the projection is that of the log",
          `${table} ${id}: ${comparable(stored)}, the log says ${comparable(row)}`,
        );
    }
    if (rows.size !== fresh[table].size)
      report("the projection is that of the log", `${rows.size} ${table}, the log makes ${fresh[table].size}`);
  }
  if (postgres.conversation?.headId !== fresh.conversation?.headId)
    report(
      "the projection is that of the log",
      `head ${postgres.conversation?.headId}, not ${fresh.conversation?.headId}`,
    );
}

/** What a person must see alike, however they came to see it. */
function essence(view: View): string {
  const failed = new Set(
    [...view.turns.values()].filter((turn) => turn.state === "failed").map((turn) => turn.messageId),
  );
  const tree = [...view.tree.values()].map(({ message, deleted }) => [
    message.id,
    message.parentId,
    deleted,
    failed.has(message.id) ? null : message.parts,
  ]);
  const turns = [...view.turns.values()].map(({ id, state, needsApproval }) => [id, state, needsApproval]);
  return comparable([view.seq, view.headId, tree, turns, view.running]);
}

function checkViews({ devices, postgres }: World, log: readonly LoggedEvent[], report: Report): void {
  const actions = log.map((logged) => ({ type: "frame" as const, frame: { type: "event" as const, ...logged } }));
  const wanted = reduceAll(emptyView, actions);
  const expected = essence(wanted);
  const paths = wanted.messages.map(({ id }) => id).join(" ");
  if (wanted.title !== null && wanted.title !== postgres.conversation?.title)
    report("Postgres has the log", `the title is "${postgres.conversation?.title}", the log says "${wanted.title}"`);
  for (const device of devices) {
    const { view } = device;
    if (view.seq !== wanted.seq)
      report("every client sees it all", `client ${device.index} is at ${view.seq} of ${wanted.seq}`);
    else if (essence(view) !== expected)
      report("every client sees the same", `client ${device.index}: ${essence(view)}, the log says ${expected}`);
    // Where a rename's event went with a lost storage, its row alone knows of it.
    if (view.title !== (wanted.title ?? postgres.conversation?.title))
      report("every client sees the same", `client ${device.index} shows the title "${view.title}"`);
    const path = view.messages.filter(({ status }) => status !== "sending" && !isPending(view, status));
    if (view.pending.length === 0 && path.map(({ id }) => id).join(" ") !== paths)
      report("every client sees the same", `client ${device.index} shows other messages than the log makes`);
    for (const [id, record] of device.records) {
      if (!record.includes('"refused"'))
        report("outboxes empty themselves", `client ${device.index} still keeps ${id}`);
    }
  }
}

const isPending = (view: View, status: string): boolean => status === "failed" && view.pending.length > 0;

function checkTools({ tools, history }: World, report: Report): void {
  for (const [call, times] of tools.executions) {
    const [name = "", callId = ""] = call.split(" ");
    const allowed = tools.freeRuns(name) + (history.approved.get(callId) ?? 0);
    if (times > allowed && !history.allowedAlways.has(name))
      report("an unsafe tool runs once", `${call} ran ${times} times, allowed ${allowed}`);
  }
}

/** What was on disk of an answer when its object ended is still in it, in front. */
function checkSaved({ history }: World, log: readonly LoggedEvent[], report: Report): void {
  const deleted = new Set(log.map(({ event }) => (event.type === "message:deleted" ? event.messageId : null)));
  for (const { seq, event } of log) {
    if (event.type !== "turn:completed" && event.type !== "turn:interrupted") continue;
    const saved = history.saved.get(event.turnId);
    if (saved === undefined || deleted.has(event.message.id)) continue;
    const text = shownText(event.message.parts);
    if (!text.startsWith(saved)) report("what was shown stays", `"${saved}" is not in the answer at ${seq}: "${text}"`);
  }
}

function checkIdle({ disk, host }: World, report: Report): void {
  if (disk.durableAlarm !== null) report("an idle object has no alarm", `an alarm waits for ${disk.durableAlarm}`);
  if (!host.isIdle) report("an idle object has no timer", `${host.awake?.busy ?? 0} things keep it awake`);
  const open = disk.read(
    "select id, state from turns where state not in ('completed', 'failed', 'interrupted', 'steered')",
  );
  for (const { id, state } of open) report("every turn ends", `turn ${id} is ${state} for ever`);
}
