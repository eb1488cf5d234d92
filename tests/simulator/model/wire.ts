import type { Disk } from "./disk.ts";
import type { Awake } from "./object-host.ts";
import type { Scheduler } from "./scheduler.ts";

/** How Postgres fares at the moment. */
export interface Weather {
  away: boolean;
  slowMs: number;
  /** Of the requests that arrive: refused for the moment, or done with the answer lost on the way back. */
  failing: number;
  losingAnswers: number;
}

export const FAIR: Readonly<Weather> = { away: false, slowMs: 0, failing: 0, losingAnswers: 0 };

export type Reply<Value> = { ok: true; value: Value } | { ok: false; message: string };

/**
 * The object's requests to Postgres: each leaves through the output gate and arrives even if the object ends meanwhile;
 * an answer reaches only the run that asked.
 */
export class Wire {
  readonly #scheduler: Scheduler;
  readonly #disk: Disk;
  weather: Weather = { ...FAIR };
  requests = 0;
  lost = 0;

  constructor(scheduler: Scheduler, disk: Disk) {
    this.#scheduler = scheduler;
    this.#disk = disk;
  }

  request<Value>(awake: Awake, kind: string, perform: () => Value): Promise<Reply<Value>> {
    const { random } = this.#scheduler;
    return new Promise((resolve) => {
      const end = awake.begin();
      const back = (ms: number, reply: Reply<Value>): void => {
        const arrive = (): void => {
          end();
          resolve(reply);
        };
        this.#scheduler.after(ms, `${kind}:answer`, arrive, awake.life);
      };
      this.#disk.gate(() => {
        const delayMs = random.between(1, 8) + this.#slowness();
        this.#scheduler.after(delayMs, `${kind}:request`, () => this.#arrive(perform, back));
      });
    });
  }

  /** Some requests are on their way for so long that whoever sent them has given up and sent them again. */
  #slowness(): number {
    const { random } = this.#scheduler;
    const { slowMs } = this.weather;
    if (slowMs === 0) return 0;
    return random.chance(0.15) ? random.between(5_000, 60_000) : random.below(slowMs);
  }

  #arrive<Value>(perform: () => Value, back: (ms: number, reply: Reply<Value>) => void): void {
    const { random } = this.#scheduler;
    const { away, failing, losingAnswers } = this.weather;
    this.requests++;
    if (away) return back(random.chance(0.5) ? 2 : random.between(200, 5_000), { ok: false, message: "refused" });
    if (random.chance(failing)) return back(3, { ok: false, message: "too many connections" });
    const value = perform();
    if (random.chance(losingAnswers)) {
      this.lost++;
      return back(random.between(5, 3_000), { ok: false, message: "connection reset" });
    }
    back(random.between(1, 8), { ok: true, value });
  }
}
