import * as z from "zod";
import { printOf } from "./history.ts";

/** How far the whole run has come; faults wait for it. */
export class Progress {
  readonly #acked = new Set<string>();
  readonly #waiting: { at: number; run: () => void }[] = [];

  get acked(): number {
    return this.#acked.size;
  }

  acknowledged(id: string): void {
    this.#acked.add(id);
    while (this.#waiting[0] && this.#waiting[0].at <= this.#acked.size) this.#waiting.shift()?.run();
  }

  has(id: string): boolean {
    return this.#acked.has(id);
  }

  /** Call with rising numbers. */
  reaches(acks: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#acked.size >= acks) resolve();
      else this.#waiting.push({ at: acks, run: resolve });
    });
  }
}

/** More would be refused, as a line of people who never read an answer. */
const MOST_OPEN = 12;

function steeredBy(event: unknown): string[] {
  const read = z
    .object({ message: z.object({ metadata: z.object({ steeredBy: z.array(z.string()) }) }) })
    .safeParse(event);
  return read.success ? read.data.message.metadata.steeredBy : [];
}

/** One conversation as everyone in it sees it together: how long its log is, and how many answers are still to come. */
export class Lane {
  readonly conversationId: string;
  readonly #asked = new Set<string>();
  readonly #ended = new Set<string>();
  /** Messages that were answered by a turn that was not their own. */
  readonly #steered = new Set<string>();
  #waiting: (() => void)[] = [];
  /** Nobody begins to say anything more. */
  isClosing = false;
  /** Nobody waits for anything any more. */
  isOver = false;
  lastSeq = 0;

  constructor(conversationId: string) {
    this.conversationId = conversationId;
  }

  /** @returns the print to write down */
  saw(seq: number, event: unknown): string {
    if (seq > this.lastSeq) this.lastSeq = seq;
    const print = printOf(event);
    const [type = "", id = "", turnId = ""] = print.split(" ", 3);
    if (type === "message:added") this.#asked.add(id);
    if (type === "turn:completed" || type === "turn:interrupted" || type === "turn:failed") {
      this.#ended.add(turnId);
      for (const steered of steeredBy(event)) this.#steered.add(steered);
      if (this.#hasRoom()) this.#letGo();
    }
    return print;
  }

  /** Whether as many answers have ended as messages were added. */
  isAnswered(): boolean {
    return this.#asked.size - this.#steered.size <= this.#ended.size;
  }

  describe(): string {
    return `${this.conversationId} with ${this.lastSeq} events, ${this.#asked.size} messages, ${this.#ended.size} endings`;
  }

  #hasRoom(): boolean {
    return this.#asked.size - this.#ended.size < MOST_OPEN;
  }

  #letGo(): void {
    const go = this.#waiting;
    this.#waiting = [];
    for (const resume of go) resume();
  }

  /** Waits, but not for ever, until the line of unanswered messages is short enough. */
  async room(): Promise<void> {
    if (this.isClosing || this.isOver || this.#hasRoom()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 3_000);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
