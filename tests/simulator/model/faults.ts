/** Everything that goes wrong, between any two steps. */

import { GOOD_MOOD } from "./provider.ts";
import { FAIR } from "./wire.ts";
import type { World } from "./world.ts";

export const FAULTS = {
  crash: 10,
  deploy: 3,
  hibernate: 12,
  databaseAway: 5,
  databaseSlow: 3,
  databaseFlaky: 5,
  databaseBack: 8,
  storageLost: 2,
  lateAlarm: 3,
  connectionsCut: 4,
  providersBad: 5,
  providersGood: 4,
} as const;
export type Fault = keyof typeof FAULTS;

export class Faults {
  readonly #world: World;
  readonly counts: Partial<Record<Fault, number>> = {};

  constructor(world: World) {
    this.#world = world;
  }

  strike(): void {
    const { random, scheduler } = this.#world;
    const fault = random.weighted(FAULTS);
    if (!this.#do[fault]()) return;
    scheduler.mark(`fault: ${fault}`);
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
  }

  /** Faults end: what is broken is repaired, what was lost stays lost. */
  calm(): void {
    const { wire, devices } = this.#world;
    wire.weather = { ...FAIR };
    this.#world.mood = { ...GOOD_MOOD };
    for (const device of devices) device.isOffline = false;
  }

  readonly #noticed = (): number | null => {
    const { random } = this.#world;
    return random.chance(0.15) ? null : random.below(200);
  };

  /** An idle object sleeps sooner or later. */
  sleep(): void {
    if (this.#do.hibernate()) this.counts.hibernate = (this.counts.hibernate ?? 0) + 1;
  }

  /** Once more, with nobody there to start it again. */
  endObject(): void {
    this.#world.scheduler.mark("fault: crash");
    this.#crash(false);
  }

  #crash(graceful: boolean): boolean {
    const { host, random } = this.#world;
    this.#rememberSaved(graceful);
    host.crash({
      graceful,
      downMs: random.chance(0.7) ? random.below(50) : random.between(50, 4_000),
      noticedAfterMs: this.#noticed,
    });
    return true;
  }

  readonly #do: Record<Fault, () => boolean> = {
    crash: () => this.#crash(false),
    deploy: () => this.#crash(true),
    hibernate: () => this.#world.host.hibernate(),
    databaseAway: () => this.#weather({ away: true }),
    databaseSlow: () => this.#weather({ slowMs: this.#world.random.between(50, 2_000) }),
    databaseFlaky: () => this.#weather({ failing: 0.2, losingAnswers: 0.3 }),
    databaseBack: () => this.#weather({}),
    storageLost: () => this.#loseStorage(),
    lateAlarm: () => this.#world.host.delayAlarm(this.#world.random.between(100, 30_000)),
    connectionsCut: () => this.#cut(),
    providersBad: () => {
      const { random } = this.#world;
      this.#world.mood = {
        failsBefore: random.next() * 0.4,
        failsMidway: random.next() * 0.5,
        hangs: random.next() * 0.3,
        saysNothing: random.next() * 0.3,
        thinks: random.next(),
        speaksAfterAbort: random.next(),
        callsTools: random.next() * 0.6,
      };
      return true;
    },
    providersGood: () => {
      this.#world.mood = { ...GOOD_MOOD, callsTools: this.#world.random.next() * 0.4 };
      return true;
    },
  };

  /** What is on disk of unfinished answers now that the object ends. */
  #rememberSaved(graceful: boolean): void {
    const { disk, history } = this.#world;
    if (graceful) disk.flush();
    else disk.crash();
    for (const { id, parts } of disk.read(
      "select id, parts from turns where state = 'running' and parts is not null",
    )) {
      const text = shownText(JSON.parse(String(parts)));
      if (text !== "") history.saved.set(String(id), text);
    }
  }

  #weather(changes: Partial<typeof FAIR>): boolean {
    this.#world.wire.weather = { ...FAIR, ...changes };
    return true;
  }

  /** The disk goes with everything on it; only what Postgres has comes back, so it goes when Postgres has everything. */
  #loseStorage(): boolean {
    const { host, postgres, disk, wire, history } = this.#world;
    const [row] = disk.read("select max(seq) as seq from events");
    if (wire.weather.away || disk.isDirty || Number(row?.seq ?? 0) !== postgres.lastSeq || postgres.lastSeq === 0)
      return false;
    if (disk.read("select 1 from parked").length > 0) return false;
    this.#crash(false);
    host.loseDisk();
    history.saved.clear();
    return true;
  }

  #cut(): boolean {
    const { devices, random } = this.#world;
    for (const { link } of devices) {
      if (random.chance(0.6)) link?.drop({ byClientMs: this.#noticed(), byServerMs: random.below(300) });
    }
    return true;
  }
}

export const shownText = (parts: readonly { type: string; text?: string }[]): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("");
