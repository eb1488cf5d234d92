import type { ClientFrameInput, ServerFrame } from "../contract/frames.ts";
import { ApiError } from "./api-error.ts";
import type { Clock, Timer } from "./clock.ts";

type Verb = Extract<ClientFrameInput, { type: "command:execute" | "turn:stop" | "tool:answer" }>;

interface Waiting {
  frame: Verb;
  sent: boolean;
  timer: Timer;
  resolve(frame: ServerFrame): void;
  reject(error: ApiError): void;
}

const CONNECT_WITHIN_MS = 15_000;
const ANSWER_WITHIN_MS = 120_000;

const lost = (message: string): ApiError => new ApiError({ code: "network", message, retryable: true });

/** Verbs that are not kept: each is sent once, and whoever asked learns what became of it. */
export class PendingReplies {
  readonly #waiting = new Map<string, Waiting>();
  #connected = false;
  readonly #clock: Clock;
  readonly #transmit: (frame: ClientFrameInput) => boolean;

  constructor(clock: Clock, transmit: (frame: ClientFrameInput) => boolean) {
    this.#clock = clock;
    this.#transmit = transmit;
  }

  ask(frame: Verb): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(CONNECT_WITHIN_MS, () => {
        if (this.#waiting.get(frame.id)?.sent === false) this.fail(frame.id, lost("There is no connection to Mosaic."));
      });
      this.#waiting.set(frame.id, { frame, sent: false, timer, resolve, reject });
      this.#flush();
    });
  }

  /** For verbs whose effect arrives as events: nobody waits. Sent now, or with the next connection. */
  tell(frame: Verb): void {
    if (this.#connected && this.#transmit(frame)) return;
    this.ask(frame).catch(() => {});
  }

  answer(id: string, frame: ServerFrame): void {
    this.#take(id)?.resolve(frame);
  }

  fail(id: string, error: ApiError): boolean {
    const waiting = this.#take(id);
    waiting?.reject(error);
    return waiting !== undefined;
  }

  connected(): void {
    this.#connected = true;
    this.#flush();
  }

  disconnected(): void {
    this.#connected = false;
    for (const [id, { sent }] of this.#waiting) {
      if (sent)
        this.fail(id, lost("The connection was lost before the answer came; the command may have been carried out."));
    }
  }

  end(error: ApiError): void {
    for (const id of this.#waiting.keys()) this.fail(id, error);
  }

  #flush(): void {
    if (!this.#connected) return;
    for (const [id, waiting] of this.#waiting) {
      if (waiting.sent || !this.#transmit(waiting.frame)) continue;
      waiting.sent = true;
      waiting.timer.cancel();
      waiting.timer = this.#clock.after(ANSWER_WITHIN_MS, () => this.fail(id, lost("No answer came to the command.")));
    }
  }

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    waiting?.timer.cancel();
    this.#waiting.delete(id);
    return waiting;
  }
}
