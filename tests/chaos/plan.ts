/** The whole run as drawn from its seed: who sends what and misbehaves how, and which fault strikes after how many acknowledgements. */
import type { DatabaseFaults } from "./database-faults.ts";
import type { Random } from "./random.ts";
import { createRandom } from "./random.ts";
import type { Victim } from "./world.ts";

export type ClientKind = "app-file" | "app-memory" | "raw" | "rest";

/** What a client does around one message. */
export interface SendStep {
  id: string;
  text: string;
  pauseMs: number;
  whenBusy: "queue" | "steer";
  /** Sends it so many times more, with the same id. */
  repeats: number;
  /** Loses its connection first, so that the message is written while nothing can be sent. */
  isOffline: boolean;
  /** Drops the connection, or dies, right after sending, before anything can be acknowledged. */
  dropsAfter: boolean;
  /** Then resumes so many events before what it had read. */
  forgets: number;
  /** Goes out together with the next one, in the wrong order. */
  swapsWithNext: boolean;
  /** Asks the running answer to stop. */
  stops: boolean;
}

export interface ClientPlan {
  name: string;
  kind: ClientKind;
  person: "owner" | "colleague";
  /** How wrong its clock is. */
  clockOffMs: number;
  steps: SendStep[];
}

export interface ConversationPlan {
  clients: ClientPlan[];
}

export type Fault =
  | { kind: "kill"; victim: Victim }
  | { kind: "database"; faults: DatabaseFaults; forMs: number }
  | { kind: "model"; share: number };

export interface PlannedFault {
  afterAcks: number;
  /** On top, so that it strikes at any instant of a message's way. */
  delayMs: number;
  fault: Fault;
}

export interface EpochPlan {
  seed: string;
  conversations: ConversationPlan[];
  faults: PlannedFault[];
}

export interface EpochSize {
  messages: number;
  conversations: number;
  kills: Record<Victim, number>;
  /** How often the database misbehaves, and the longest it does, in ms. */
  databaseFaults: number;
  longestOutageMs: number;
}

const DAY_MS = 86_400_000;
const CLIENTS: readonly Omit<ClientPlan, "steps" | "clockOffMs">[] = [
  { name: "terminal", kind: "app-file", person: "owner" },
  { name: "browser", kind: "app-memory", person: "colleague" },
  { name: "rough", kind: "raw", person: "owner" },
  { name: "rude", kind: "raw", person: "colleague" },
  { name: "script", kind: "rest", person: "owner" },
];

function stepOf(random: Random, kind: ClientKind, label: string): SendStep {
  const isRough = random.chance(0.25);
  return {
    id: random.uuid(),
    text: `${label} ${random.int(0, 999_999)}`,
    pauseMs: random.chance(0.3) ? random.int(0, 40) : 0,
    whenBusy: random.chance(0.05) ? "steer" : "queue",
    repeats: random.chance(0.2) ? random.int(1, 2) : 0,
    isOffline: random.chance(0.03) || (kind === "app-file" && random.chance(0.1)),
    dropsAfter: random.chance(kind === "app-file" ? 0.2 : 0.04),
    forgets: random.chance(0.5) ? random.int(0, 60) : 0,
    swapsWithNext: isRough && random.chance(0.5),
    stops: random.chance(0.01),
  };
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

function planFaults(random: Random, size: EpochSize): PlannedFault[] {
  // Nothing strikes when only stragglers are left.
  const last = Math.floor(size.messages * 0.93);
  const delayMs = (): number => random.int(0, 60);
  const victims = (["workerd", "database", "stack"] as const).flatMap((victim) =>
    Array.from({ length: size.kills[victim] }, () => victim),
  );
  // One in each stretch of the run: two at once would be one.
  const stretch = last / Math.max(1, victims.length);
  const kills = shuffled(random, victims).map((victim, index): PlannedFault => {
    const afterAcks = Math.max(1, Math.floor(stretch * (index + random.next())));
    return { afterAcks, delayMs: delayMs(), fault: { kind: "kill", victim } };
  });
  const instant = () => ({ afterAcks: random.int(1, last), delayMs: delayMs() });
  const wire = Array.from({ length: size.databaseFaults }, (_unused, index): PlannedFault => {
    const calm: DatabaseFaults = { mode: "ok", delayMs: 0, fail: 0, lose: 0, seed: random.int(0, 1_000_000) };
    const faults = [
      { ...calm, fail: 0.05, lose: 0.05 },
      { ...calm, mode: "away" as const },
      { ...calm, delayMs: random.int(20, 300) },
      { ...calm, mode: "silent" as const },
      { ...calm, lose: 0.3 },
    ][index % 5];
    // The first outage of a run is the longest.
    const forMs = index === 1 ? size.longestOutageMs : random.int(size.longestOutageMs / 20, size.longestOutageMs / 4);
    return { ...instant(), fault: { kind: "database", faults: faults ?? calm, forMs } };
  });
  const model = [0.3, 0.05, 0.15].map((share): PlannedFault => ({ ...instant(), fault: { kind: "model", share } }));
  return [...kills, ...wire, ...model].sort((one, other) => one.afterAcks - other.afterAcks);
}

export function planEpoch(seed: string, size: EpochSize): EpochPlan {
  const random = createRandom(seed);
  const perClient = Math.ceil(size.messages / size.conversations / CLIENTS.length);
  const conversations = Array.from({ length: size.conversations }, (_unused, index): ConversationPlan => {
    const clients = CLIENTS.map((client): ClientPlan => {
      const own = random.fork(`c${index}/${client.name}`);
      return {
        ...client,
        clockOffMs: own.pick([0, DAY_MS, -DAY_MS]),
        steps: Array.from({ length: perClient }, (_each, at) =>
          stepOf(own, client.kind, `c${index} ${client.name} ${at}`),
        ),
      };
    });
    return { clients };
  });
  return { seed, conversations, faults: planFaults(random.fork("faults"), size) };
}
