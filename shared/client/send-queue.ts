import { v7 as uuid } from "uuid";
import type * as z from "zod";
import { type AckState, type ClientFrameInput, hasContent } from "../contract/frames.ts";
import { ApiError } from "./api-error.ts";
import type { Clock } from "./clock.ts";
import { OutboxEntry, type OutboxStorage, parseOutbox } from "./outbox.ts";
import { refuseUnsendable } from "./sendable.ts";
import type { PendingSend } from "./view-state.ts";

export type SendBody = Omit<Extract<ClientFrameInput, { type: "message:send" }>, "type" | "id"> & { id?: string };

export interface Acknowledgement {
  seq: number;
  /** null where the message came back as an event before its acknowledgement. */
  state: z.infer<typeof AckState> | null;
  duplicate: boolean;
}

export interface Sending {
  id: string;
  /** Rejects with ApiError when the server refuses the message. Safe to leave unawaited. */
  acknowledged: Promise<Acknowledgement>;
}

interface Waiter {
  resolve(value: Acknowledgement): void;
  reject(error: ApiError): void;
}

const DEFAULT_RETRY_MS = 2000;

/** Messages on their way, in the order they were written. */
export class SendQueue {
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #waiters = new Map<string, Waiter>();
  /** Sent over the connection that stands now. */
  readonly #sent = new Set<string>();
  #connected = false;
  readonly #storage: OutboxStorage;
  readonly #clock: Clock;
  readonly #transmit: (frame: ClientFrameInput) => boolean;
  readonly #changed: (pending: PendingSend[]) => void;

  constructor(
    storage: OutboxStorage,
    clock: Clock,
    transmit: (frame: ClientFrameInput) => boolean,
    changed: (pending: PendingSend[]) => void,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#transmit = transmit;
    this.#changed = changed;
  }

  async load(): Promise<void> {
    const own = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of [...parseOutbox(await this.#storage.load()), ...own]) this.#entries.set(entry.id, entry);
    this.#publish();
  }

  add(body: SendBody): Sending {
    if (!hasContent(body)) throw new ApiError({ code: "invalid_request", message: "There is nothing to send." });
    const id = body.id ?? uuid();
    refuseUnsendable({ ...body, id });
    const entry = OutboxEntry.parse({ ...body, id, queuedAt: new Date(this.#clock.now()).toISOString() });
    const acknowledged = new Promise<Acknowledgement>((resolve, reject) => {
      this.#waiters.set(entry.id, { resolve, reject });
    });
    acknowledged.catch(() => {});
    this.#entries.set(entry.id, entry);
    this.#publish();
    // Kept before it is sent: a client that dies in between sends it again.
    this.#keepThenSend(entry).catch(() => {});
    return { id: entry.id, acknowledged };
  }

  resend(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const { refused: _, ...again } = entry;
    this.#entries.set(id, again);
    this.#sent.delete(id);
    this.#publish();
    this.#keepThenSend(again).catch(() => {});
  }

  async discard(id: string): Promise<string | null> {
    const entry = this.#entries.get(id);
    if (!entry) return null;
    this.#waiters.get(id)?.reject(new ApiError({ code: "invalid_request", message: "The message was discarded." }));
    await this.#forget(id);
    return entry.text ?? null;
  }

  connected(): void {
    this.#connected = true;
    this.#flush();
  }

  disconnected(): void {
    this.#connected = false;
    this.#sent.clear();
  }

  acknowledge(id: string, { seq, state, duplicate }: Acknowledgement): void {
    if (!this.#entries.has(id)) return;
    this.#waiters.get(id)?.resolve({ seq, state, duplicate });
    // The record goes after the promise: losing it again only means one duplicate, which the server recognises.
    this.#forget(id).catch(() => {});
  }

  /** Whether the refused id was a message of ours. Retryable refusals are tried again by themselves. */
  refuse(id: string, error: ApiError, retryAfterMs: number | undefined): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    if (error.retryable) {
      this.#clock.after(retryAfterMs ?? DEFAULT_RETRY_MS, () => {
        this.#sent.delete(id);
        this.#flush();
      });
      return true;
    }
    const refused = { ...entry, refused: { code: error.code, message: error.message } };
    this.#entries.set(id, refused);
    this.#waiters.get(id)?.reject(error);
    this.#waiters.delete(id);
    this.#publish();
    this.#keep(refused).catch(() => {});
    return true;
  }

  /** No connection will come any more: whoever waits is told, the records stay for the next run. */
  end(error: ApiError): void {
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
  }

  #flush(): void {
    if (!this.#connected) return;
    for (const entry of this.#entries.values()) {
      if (entry.refused || this.#sent.has(entry.id)) continue;
      const { queuedAt: _queuedAt, refused: _refused, ...frame } = entry;
      if (this.#transmit({ type: "message:send", ...frame })) this.#sent.add(entry.id);
    }
  }

  async #keepThenSend(entry: OutboxEntry): Promise<void> {
    await this.#keep(entry);
    this.#flush();
  }

  async #keep(entry: OutboxEntry): Promise<void> {
    try {
      await this.#storage.save(entry.id, JSON.stringify(entry));
    } catch {
      // A full or forbidden storage must not stop the message itself.
    }
  }

  async #forget(id: string): Promise<void> {
    this.#entries.delete(id);
    this.#waiters.delete(id);
    this.#sent.delete(id);
    this.#publish();
    await this.#storage.remove(id);
  }

  #publish(): void {
    this.#changed(
      [...this.#entries.values()].map((entry) => ({
        id: entry.id,
        entry,
        state: entry.refused ? "failed" : "sending",
        error: entry.refused?.message ?? null,
      })),
    );
  }
}
