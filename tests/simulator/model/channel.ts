import type { Life, Scheduler } from "./scheduler.ts";

/** Things that arrive one after the other in the order they were sent, each after a delay of its own. */
export class Channel<Item> {
  readonly #scheduler: Scheduler;
  readonly #kind: string;
  readonly #life: Life;
  readonly #delayMs: () => number;
  readonly #arrive: (item: Item) => void;
  readonly #items: Item[] = [];

  constructor(
    scheduler: Scheduler,
    options: { kind: string; life: Life; delayMs: () => number; arrive: (item: Item) => void },
  ) {
    this.#scheduler = scheduler;
    this.#kind = options.kind;
    this.#life = options.life;
    this.#delayMs = options.delayMs;
    this.#arrive = options.arrive;
  }

  push(item: Item): void {
    this.#items.push(item);
    if (this.#items.length === 1) this.#plan();
  }

  #plan(): void {
    this.#scheduler.after(this.#delayMs(), this.#kind, () => this.#deliver(), this.#life);
  }

  #deliver(): void {
    const item = this.#items.shift();
    if (this.#items.length > 0) this.#plan();
    if (item !== undefined) this.#arrive(item);
  }
}
