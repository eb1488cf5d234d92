import { Channel } from "./channel.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { Held } from "./server-socket.ts";

/** The client's end: what `OpenSocket` was given. */
interface ClientEnd {
  open(): void;
  message(text: string): void;
  close(code: number, reason: string): void;
}

/** The object's end. */
interface ServerEnd {
  answersByItself(text: string): string | null;
  message(held: Held, text: string): void;
  closed(held: Held, code: number): void;
}

type Arrival = { open: true } | { text: string } | { code: number; reason: string };

/** One connection: frames in order in both directions, until it ends or breaks, noticed by one side, both or none. */
export class Link {
  readonly #scheduler: Scheduler;
  readonly #client: ClientEnd;
  readonly #server: ServerEnd;
  readonly #life: Life = { alive: true };
  readonly #down: Channel<Arrival>;
  readonly #up: Channel<Arrival>;
  #held: Held | null = null;
  /** Nothing arrives any more, and nobody was told. */
  #isSilent = false;
  #clientEnded = false;
  #frozenUntilMs = 0;

  constructor(scheduler: Scheduler, ends: { client: ClientEnd; server: ServerEnd }, delayMs: () => number) {
    this.#scheduler = scheduler;
    this.#client = ends.client;
    this.#server = ends.server;
    const life = this.#life;
    const delay = (): number => Math.max(delayMs(), this.#frozenUntilMs - scheduler.now);
    this.#down = new Channel(scheduler, {
      kind: "frame:down",
      life,
      delayMs: delay,
      arrive: (item) => this.#atClient(item),
    });
    this.#up = new Channel(scheduler, {
      kind: "frame:up",
      life,
      delayMs: delay,
      arrive: (item) => this.#atServer(item),
    });
  }

  get isHealthy(): boolean {
    return this.#life.alive && !this.#isSilent && !this.#clientEnded && this.#held !== null && !this.#held.isClosed;
  }

  get isOver(): boolean {
    return !this.#life.alive;
  }

  /** The upgrade has succeeded. */
  established(held: Held): void {
    this.#held = held;
    held.link = this;
    if (this.#life.alive && !this.#isSilent) this.#down.push({ open: true });
    else this.#tellServer(this.#isSilent ? 30_000 : 5); // it broke while it was being opened
  }

  /** The upgrade has failed; clients learn no more than that. */
  refused(): void {
    if (!this.#life.alive) return;
    this.#life.alive = false;
    this.#scheduler.after(5, "link:refused", () => this.#endClient(1006, ""));
  }

  toClient(text: string): void {
    if (this.#life.alive && !this.#isSilent) this.#down.push({ text });
  }

  closeFromServer(code: number, reason: string): void {
    if (this.#life.alive && !this.#isSilent) this.#down.push({ code, reason });
  }

  toServer(text: string): void {
    if (this.#life.alive && !this.#isSilent) this.#up.push({ text });
  }

  closeFromClient(code: number): void {
    this.#clientEnded = true;
    if (this.#life.alive && !this.#isSilent) this.#up.push({ code, reason: "" });
  }

  /** The object's process ended: its side is gone. */
  serverGone(noticedAfterMs: number | null): void {
    this.#held = null;
    this.#break(noticedAfterMs);
  }

  /** The client's process ended: nothing in it hears anything any more. */
  clientGone(noticedAfterMs: number): void {
    this.#clientEnded = true;
    this.#life.alive = false;
    this.#tellServer(noticedAfterMs);
  }

  /** The network drops it. @param noticed - ms until each side hears of it; null: never by itself */
  drop(noticed: { byClientMs: number | null; byServerMs: number }): void {
    this.#break(noticed.byClientMs);
    this.#tellServer(noticed.byServerMs);
  }

  /** Nothing gets through for a while, in neither direction; then everything does. */
  freeze(ms: number): void {
    this.#frozenUntilMs = this.#scheduler.now + ms;
  }

  #break(noticedAfterMs: number | null): void {
    if (noticedAfterMs === null) {
      this.#isSilent = true;
      return;
    }
    this.#life.alive = false;
    this.#scheduler.after(noticedAfterMs, "link:lost", () => this.#endClient(1006, ""));
  }

  #tellServer(afterMs: number): void {
    const held = this.#held;
    this.#held = null;
    if (held) this.#scheduler.after(afterMs, "link:gone", () => this.#server.closed(held, 1006));
  }

  #atClient(item: Arrival): void {
    if (this.#isSilent) return;
    if ("open" in item) return this.#client.open();
    if ("text" in item) return this.#client.message(item.text);
    this.#life.alive = false;
    this.#tellServer(5);
    this.#endClient(item.code, item.reason);
  }

  #atServer(item: Arrival): void {
    const held = this.#held;
    if (this.#isSilent) return;
    if (!held) {
      // The client gave up before there was an answer: the answer finds nobody.
      if ("code" in item) this.#life.alive = false;
      return;
    }
    if ("text" in item) {
      const answer = this.#server.answersByItself(item.text);
      if (answer === null) this.#server.message(held, item.text);
      else this.toClient(answer);
      return;
    }
    if (!("code" in item)) return;
    this.#life.alive = false;
    this.#held = null;
    this.#server.closed(held, item.code);
  }

  #endClient(code: number, reason: string): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    this.#client.close(code, reason);
  }
}
