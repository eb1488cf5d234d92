/** Epoch after epoch on one stack, each with a plan from the seed, and the report of it all. */
import { cpus, totalmem } from "node:os";
import { makePeople } from "./people.ts";
import { type EpochSize, planEpoch } from "./plan.ts";
import { type EpochLimits, type EpochOutcome, runEpoch } from "./run-epoch.ts";
import { type Recovery, type Victim, World } from "./world.ts";

export interface ChaosOptions {
  messages: number;
  kills: number;
  conversations: number;
  messagesPerEpoch: number;
  longestOutageMs: number;
  limits: EpochLimits;
  seed: string;
  print(line: string): void;
  /** The checkout whose stack is broken; default: this one. */
  root?: string;
}

interface RecoveryTimes {
  kills: number;
  medianMs: number;
  worstMs: number;
}

export interface ChaosReport {
  kind: "chaos";
  seed: string;
  machine: { cpu: string; cores: number; memoryGiB: number; node: string };
  seconds: number;
  messages: number;
  events: number;
  conversations: number;
  clients: number;
  kills: Record<Victim, RecoveryTimes>;
  databaseFaults: number;
  modelFaults: Record<string, number>;
  endings: Record<string, number>;
  strangerTries: number;
  violations: EpochOutcome["violations"];
  epochs: { seed: string; messages: number; busyMs: number; quietMs: number; violations: number }[];
}

/** Most kills hit the runtime, which is where conversations live. */
function shareKills(kills: number, epochs: number, epoch: number): Record<Victim, number> {
  const part = (total: number): number =>
    Math.floor((total * (epoch + 1)) / epochs) - Math.floor((total * epoch) / epochs);
  const stack = Math.ceil(kills * 0.1);
  const database = Math.ceil(kills * 0.15);
  return { stack: part(stack), database: part(database), workerd: part(Math.max(0, kills - stack - database)) };
}

function timesOf(recoveries: readonly Recovery[], victim: Victim): RecoveryTimes {
  const ms = recoveries
    .filter((each) => each.victim === victim)
    .map((each) => each.ms)
    .sort((a, b) => a - b);
  return { kills: ms.length, medianMs: ms[Math.floor(ms.length / 2)] ?? 0, worstMs: ms.at(-1) ?? 0 };
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, print } = options;
  const epochs = Math.max(1, Math.round(options.messages / options.messagesPerEpoch));
  const world = new World(options.root);
  const startedAt = performance.now();
  print(`Seed ${seed}: ${options.messages} messages in ${epochs} epochs, ${options.kills} kills.`);
  const outcomes: EpochOutcome[] = [];
  let databaseFaults = 0;
  try {
    await world.start(seed);
    const people = await makePeople(world.url, world.url.replace("127.0.0.1", "localhost"));
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const size: EpochSize = {
        messages: Math.ceil(options.messages / epochs),
        conversations: options.conversations,
        kills: shareKills(options.kills, epochs, epoch),
        databaseFaults: 5,
        // Every third epoch has the long outage; the others stay at a third of it.
        longestOutageMs: epoch % 3 === 0 ? options.longestOutageMs : options.longestOutageMs / 3,
      };
      databaseFaults += size.databaseFaults;
      const outcome = await runEpoch(world, people, planEpoch(`${seed}/${epoch}`, size), options);
      outcomes.push(outcome);
      const { messages, busyMs, quietMs, violations } = outcome;
      const perSecond = (messages / (busyMs / 1000)).toFixed(0);
      print(
        `Epoch ${epoch}: ${messages} messages in ${(busyMs / 1000).toFixed(1)} s (${perSecond}/s), quiet after ${(quietMs / 1000).toFixed(1)} s, ${world.recoveries.length} kills so far, ${violations.length} violations.`,
      );
      const told = Object.entries(outcome.refusals).map(([code, count]) => `${code} x ${count}`);
      if (told.length > 0) print(`  told no: ${told.join(", ")}`);
      for (const { rule, conversationId, detail } of violations.slice(0, 20))
        print(`  ${rule} ${conversationId}: ${detail}`);
      if (violations.length > 0) print(world.output().slice(-6_000));
    }
  } finally {
    await world.stop();
  }
  return reportOf(options, outcomes, world, databaseFaults, (performance.now() - startedAt) / 1000);
}

function reportOf(
  options: ChaosOptions,
  outcomes: readonly EpochOutcome[],
  world: World,
  databaseFaults: number,
  seconds: number,
): ChaosReport {
  const sum = (of: (outcome: EpochOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const endings: Record<string, number> = {};
  for (const outcome of outcomes)
    for (const [type, count] of Object.entries(outcome.endings)) endings[type] = (endings[type] ?? 0) + count;
  const { recoveries } = world;
  return {
    kind: "chaos",
    seed: options.seed,
    machine: {
      cpu: cpus()[0]?.model ?? "",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    seconds: Math.round(seconds),
    messages: sum((outcome) => outcome.messages),
    events: sum((outcome) => outcome.events),
    conversations: options.conversations * outcomes.length,
    clients: options.conversations * outcomes.length * 5,
    kills: {
      workerd: timesOf(recoveries, "workerd"),
      database: timesOf(recoveries, "database"),
      stack: timesOf(recoveries, "stack"),
    },
    databaseFaults,
    modelFaults: world.model.counts(),
    endings,
    strangerTries: sum((outcome) => outcome.strangerTries),
    violations: outcomes.flatMap((outcome) => outcome.violations),
    epochs: outcomes.map(({ seed, messages, busyMs, quietMs, violations }) => ({
      seed,
      messages,
      busyMs,
      quietMs,
      violations: violations.length,
    })),
  };
}
