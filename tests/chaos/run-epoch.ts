/** One epoch: conversations are made, everyone talks while things break, then it gets quiet and every history is read. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createApiClient } from "../../shared/client/api-client.ts";
import { AppClient } from "./app-client.ts";
import type { ChaosClient, ClientDeps } from "./chaos-client.ts";
import { checkHistory, type Violation } from "./check-history.ts";
import { NO_FAULTS } from "./database-faults.ts";
import { Lane, Progress } from "./lane.ts";
import type { People } from "./people.ts";
import type { ConversationPlan, EpochPlan } from "./plan.ts";
import { RawClient } from "./raw-client.ts";
import { readDatabase, readObject } from "./read-truth.ts";
import { RestClient } from "./rest-client.ts";
import { Stranger } from "./stranger.ts";
import { strike } from "./strike.ts";
import type { World } from "./world.ts";

export interface EpochOutcome {
  seed: string;
  messages: number;
  events: number;
  /** Until all was acknowledged, and from then until all was still. */
  busyMs: number;
  quietMs: number;
  strangerTries: number;
  /** What clients were told no with, by its beginning. */
  refusals: Record<string, number>;
  endings: Record<string, number>;
  violations: Violation[];
}

export interface EpochLimits {
  /** Nobody begins a new message after that; what is on its way is still brought to its end. */
  talkMs: number;
  /** Then everything must be acknowledged; past it the epoch is judged as it stands. */
  saidWithinMs: number;
  /** And then answered, read by everyone and in Postgres. */
  quietWithinMs: number;
}
const TELL_EVERY_MS = 15_000;

interface Talk {
  lane: Lane;
  clients: ChaosClient[];
}

async function openConversations(world: World, people: People, plan: EpochPlan): Promise<string[]> {
  const api = createApiClient({ baseUrl: world.url, token: people.owner.token });
  const ids: string[] = [];
  for (const _each of plan.conversations) {
    const { id } = await api.conversations.create({ workspaceId: people.workspaceId });
    await api.conversations.update(id, { visibility: "workspace" });
    ids.push(id);
  }
  return ids;
}

function clientFor(deps: ClientDeps): ChaosClient {
  if (deps.plan.kind === "raw") return new RawClient(deps);
  return deps.plan.kind === "rest" ? new RestClient(deps) : new AppClient(deps);
}

function enter(
  world: World,
  people: People,
  plan: ConversationPlan,
  id: string,
  progress: Progress,
  folder: string,
): Talk {
  const lane = new Lane(id);
  const clients = plan.clients.map((client) =>
    clientFor({ url: world.url, person: people[client.person], lane, progress, plan: client, folder }),
  );
  return { lane, clients };
}

/** @returns false when it did not happen in time */
async function until(holds: () => boolean | Promise<boolean>, withinMs: number, everyMs = 50): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await sleep(everyMs);
  }
  return true;
}

/** Quiet: every turn has ended, every client has read everything, Postgres has it all. */
async function settle(world: World, talks: readonly Talk[], quietWithinMs: number): Promise<string | null> {
  const isRead = ({ lane, clients }: Talk): boolean =>
    lane.isAnswered() && clients.every((client) => client.lastSeq === lane.lastSeq);
  const deadline = Date.now() + quietWithinMs;
  const left = (): number => Math.max(1, deadline - Date.now());
  if (!(await until(() => talks.every(isRead), left()))) {
    const open = talks.filter((talk) => !isRead(talk));
    const [first] = open;
    return `${open.length} conversations are not read to their end, ${first?.lane.describe()}: ${first?.clients.map((client) => `${client.history.name} at ${client.lastSeq}`).join(", ")}`;
  }
  const behind = async (): Promise<number> => {
    const [rows = []] = await world.sql("owner", [{ query: "select id, last_seq from conversations" }]);
    const stored = new Map(rows.map((row) => [row.id, Number(row.last_seq)]));
    return talks.filter(({ lane }) => stored.get(lane.conversationId) !== lane.lastSeq).length;
  };
  if (await until(async () => (await behind()) === 0, left(), 200)) return null;
  return `${await behind()} conversations did not reach Postgres`;
}

export async function runEpoch(
  world: World,
  people: People,
  plan: EpochPlan,
  { limits, print }: { limits: EpochLimits; print(line: string): void },
): Promise<EpochOutcome> {
  const folder = join(world.folder, "clients");
  mkdirSync(folder, { recursive: true });
  const ids = await openConversations(world, people, plan);
  const progress = new Progress();
  const talks = plan.conversations.map((talk, index) => enter(world, people, talk, ids[index] ?? "", progress, folder));
  const stranger = new Stranger(world, people);
  const strangerEnds = stranger.run(ids);
  const strikes = strike(world, progress, plan.faults);
  const violations: Violation[] = [];
  const unsettled = (detail: string) => violations.push({ rule: "settled", conversationId: "", detail });

  const startedAt = performance.now();
  const said = Promise.all(talks.flatMap(({ clients }) => clients.map((client) => client.run()))).then(() => true);
  // A stack that does not come back ends the whole run at once, with its last words.
  const fallen = strikes.done.then(() => new Promise<never>(() => undefined));
  const ticker = setInterval(() => print(`  ${tell(world, progress, talks)}`), TELL_EVERY_MS);
  if (!(await Promise.race([said, fallen, sleep(limits.talkMs, false, { ref: false })]))) {
    for (const { lane } of talks) lane.isClosing = true;
    strikes.cancel();
  }
  const inTime = await Promise.race([said, fallen, sleep(limits.saidWithinMs, false, { ref: false })]);
  if (!inTime) {
    unsettled(`only ${progress.acked} messages were acknowledged in time: ${talks.flatMap(unsaid).join("; ")}`);
    strikes.cancel();
  }
  await strikes.done;
  world.setDatabaseFaults(NO_FAULTS);
  world.model.setFaultShare(0);
  const saidAt = performance.now();
  const problem = await settle(world, talks, limits.quietWithinMs);
  if (problem) unsettled(problem);
  clearInterval(ticker);
  const quietAt = performance.now();
  stranger.stop();
  await strangerEnds;
  for (const { lane, clients } of talks) {
    lane.isOver = true;
    for (const client of clients) client.stop();
  }
  const judged = await judge(world, people, talks);
  rmSync(folder, { recursive: true, force: true });
  return {
    ...judged,
    seed: plan.seed,
    messages: progress.acked,
    busyMs: Math.round(saidAt - startedAt),
    quietMs: Math.round(quietAt - saidAt),
    strangerTries: stranger.tries,
    violations: [...violations, ...judged.violations, ...stranger.violations],
  };
}

/** Who still waits for an acknowledgement, and what they were told. */
function unsaid({ lane, clients }: Talk): string[] {
  return clients.flatMap(({ history: { name, sent, acks, refused } }) => {
    const acked = new Set(acks.map(({ id }) => id));
    const waiting = sent.filter(({ id }) => !acked.has(id));
    const told = refused.filter(({ id }) => waiting.some((each) => each.id === id)).slice(-3);
    if (waiting.length === 0) return [];
    return [`${name} in ${lane.conversationId} for ${waiting.length} (${told.map(({ code }) => code).join(", ")})`];
  });
}

function tell(world: World, progress: Progress, talks: readonly Talk[]): string {
  const answered = talks.filter(({ lane }) => lane.isAnswered()).length;
  const kills = world.recoveries.length;
  return `${progress.acked} acknowledged, ${answered} of ${talks.length} conversations answered, ${kills} kills so far`;
}

/** Reads everything that is left of each conversation, and what the clients wrote down. */
async function judge(
  world: World,
  people: People,
  talks: readonly Talk[],
): Promise<Pick<EpochOutcome, "events" | "endings" | "refusals" | "violations">> {
  const endings: Record<string, number> = {};
  const refusals: Record<string, number> = {};
  const violations: Violation[] = [];
  let events = 0;
  for (const { lane, clients } of talks) {
    const { conversationId } = lane;
    const object = await readObject(world.url, people.owner.token, conversationId);
    const postgres = await readDatabase(world, conversationId);
    const histories = clients.map(({ history }) => history);
    violations.push(...checkHistory({ conversationId, clients: histories, object, postgres }));
    events += object.events.length;
    for (const { code } of histories.flatMap(({ refused }) => refused)) refusals[code] = (refusals[code] ?? 0) + 1;
    for (const { event } of object.events) {
      if (/^turn:/.test(event.type)) endings[event.type] = (endings[event.type] ?? 0) + 1;
    }
  }
  return { events, endings, refusals, violations };
}
