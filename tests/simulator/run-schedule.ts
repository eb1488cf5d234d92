import { checkAlone, checkWorld } from "./checker.ts";
import { type Fault, Faults } from "./model/faults.ts";
import type { Violation } from "./model/history.ts";
import { People } from "./model/people.ts";
import { settle } from "./model/settle.ts";
import { messageOf, World } from "./model/world.ts";

export interface Outcome {
  seed: number;
  clients: number;
  steps: number;
  /** Of everything that ran and when: the same seed has the same. */
  hash: number;
  acknowledged: number;
  events: number;
  modelCalls: number;
  faults: Partial<Record<Fault, number>>;
  violations: Violation[];
}

const MAX_TROUBLED_STEPS = 150;
/** How many schedules are brief: few people do one or two things, in denser trouble. The others go on for longer. */
const BRIEF = 0.8;
/** How likely each number of clients is. */
const CLIENTS = {
  brief: { 1: 75, 2: 20, 3: 3, 4: 1, 5: 1 },
  long: { 1: 48, 2: 28, 3: 11, 4: 6, 5: 7 },
} as const;
const MAX_CALM_STEPS = 6_000;
/** How often everybody leaves when the troubles end, until nothing moves any more. */
const LEFT_ALONE = 0.15;
/** How often somebody wakes the sleeping object once more. */
const SPEAKS_AGAIN = 0.15;
/** Steps after which, in the calm, a person looks whether something waits for an answer. */
const ANSWERED_EVERY = 100;
/** Firings of an alarm that an idle object may still have before it is quiet. */
const MAX_IDLE_ALARMS = 4;

let stray: (error: unknown) => void = () => {};
process.on("unhandledRejection", (error) => stray(error));
process.on("uncaughtException", (error) => stray(error));

interface Options {
  /** How many; else drawn by chance. */
  clients?: number;
  /** Is filled with what happened. */
  trace?: string[];
}

/** Runs one seed from its first step to the verdict, in one task of the loop. */
export function runSchedule(seed: number, options: Options = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(outcomeOf(seed, options));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function outcomeOf(seed: number, options: Options): Outcome {
  const world = new World(seed, options.trace ?? null);
  const { random, scheduler, history, devices } = world;
  stray = (error) => world.violation("nothing is left unhandled", messageOf(error));
  const isBrief = random.chance(BRIEF);
  const clients = options.clients ?? Number(random.weighted(isBrief ? CLIENTS.brief : CLIENTS.long));
  for (let index = 0; index < clients; index++) world.addDevice().start();
  const people = new People(world);
  const faults = new Faults(world);
  scheduler.disorderMs = random.chance(0.5) ? random.below(30) : 0;
  let actionsLeft = isBrief ? random.between(1, 2) : random.between(2, 4 + clients);
  const actEvery = random.between(2, isBrief ? 6 : 12);
  const trouble = random.chance(0.1) ? 0 : random.next() * (isBrief ? 0.1 : 0.07);
  const step = (): boolean => {
    const went = scheduler.step();
    settle();
    return went;
  };
  while (scheduler.steps < MAX_TROUBLED_STEPS) {
    if (actionsLeft > 0 && random.below(actEvery) === 0) {
      actionsLeft--;
      people.act();
      settle();
    }
    if (random.chance(trouble)) {
      faults.strike();
      settle();
    }
    if (!step() && actionsLeft === 0) break;
    if (actionsLeft === 0 && isQuiet(world)) break;
  }
  faults.calm();
  scheduler.mark("calm");
  if (random.chance(LEFT_ALONE)) whileNobodyIsThere(world, people, faults, step);
  world.isDeserted = false;
  for (const device of devices) device.start();
  untilQuiet(world, people, step);
  if (random.chance(SPEAKS_AGAIN) && history.violations.length === 0) {
    faults.sleep();
    people.speakAgain();
    untilQuiet(world, people, step);
  }
  if (history.violations.length === 0) checkWorld(world);
  stray = () => {};
  return {
    seed,
    clients: devices.length,
    steps: scheduler.steps,
    hash: scheduler.hash >>> 0,
    acknowledged: history.acknowledged.size,
    events: world.postgres.lastSeq,
    modelCalls: world.modelCalls,
    faults: faults.counts,
    violations: history.violations,
  };
}

const isQuiet = (world: World): boolean =>
  world.host.isIdle && !world.scheduler.isBusy && world.devices.every((device) => isAtRest(device));

const isAtRest = (device: World["devices"][number]): boolean => {
  if (!device.isSettled) return false;
  for (const record of device.records.values()) if (!record.includes('"refused"')) return false;
  return true;
};

/** All clients are off: the object alone must bring to an end what was begun. */
function whileNobodyIsThere(world: World, people: People, faults: Faults, step: () => boolean): void {
  const { scheduler, devices, host, random } = world;
  world.isDeserted = true;
  for (const device of devices) if (device.isRunning) device.kill();
  const limit = scheduler.steps + MAX_CALM_STEPS;
  const moves = (): boolean => scheduler.steps < limit && (scheduler.isBusy || !host.isIdle);
  const endWithin = (steps: number): void => {
    for (let left = random.below(steps); left > 0 && moves(); left--) step();
    faults.endObject();
    while (moves()) step();
    checkAlone(world);
  };
  endWithin(30);
  if (random.chance(0.5)) return;
  people.changeFromAfar();
  endWithin(8);
}

/** Time goes on without faults until nothing is left to do. */
function untilQuiet(world: World, people: People, step: () => boolean): void {
  const { scheduler, devices } = world;
  const limit = scheduler.steps + MAX_CALM_STEPS;
  let alarms = 0;
  while (scheduler.steps < limit) {
    if (isQuiet(world)) return;
    if (scheduler.steps % ANSWERED_EVERY === 0) {
      people.answerEverything();
      settle();
    }
    const onlyAlarm = world.host.isIdle && scheduler.isOnly("alarm:due");
    if (!step()) break;
    if (onlyAlarm && scheduler.lastKind === "alarm:due" && devices.every(isAtRest) && ++alarms > MAX_IDLE_ALARMS)
      return;
  }
  const unsettled = devices.filter((device) => !isAtRest(device)).map(({ index }) => index);
  world.violation(
    "it comes to rest",
    `still ${scheduler.busyWith().slice(0, 8).join(", ") || "nothing"}; clients not at rest: ${unsettled.join(", ") || "none"}`,
  );
}
