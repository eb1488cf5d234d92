import { v7 as uuid } from "uuid";
import { type AckState, type ClientFrameInput, hasContent } from "../contract/frames.ts";
import { ApiError } from "./api-error.ts";
import { type Clock, retryDelayMs, type Timer } from "./clock.ts";
import { OutboxEntry, type OutboxStorage, parseOutbox } from "./outbox.ts";
import { refuseUnsendable } from "./sendable.ts";
import type { PendingSend } from "./view-state.ts";

export type SendBody = Omit<Extract<ClientFrameInput, { type: "message:send" }>, "type" | "id"> & { id?: string };

export interface Acknowledgement {
  seq: number;
  /** null where the message came back as an event before its acknowledgement. */
  state: AckState | null;
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

/** A message without an answer is sent again: the object may have been reset while its sockets stayed open. */
const ACK_WITHIN_MS = 20_000;

/**
 * Messages on their way, in the order they were written. Only the first is in flight: were the next one sent before its
 * acknowledgement, a refusal for now (too many, database away) would let the later one overtake.
 */
export class SendQueue {
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #waiters = new Map<string, Waiter>();
  /** Acknowledged, and not yet seen as an event: shown until then, or a message would vanish for a moment. */
  readonly #landed = new Map<string, OutboxEntry>();
  /** Being written to the storage: sent only afterwards. */
  readonly #saving = new Set<string>();
  /** Those that the storage would not take. */
  readonly #unkept = new Set<string>();
  /** The message that is in flight, or was and is tried again when the timer fires; nothing else is sent meanwhile. */
  #first: string | null = null;
  #timer: Timer | null = null;
  #tries = 0;
  #writes: Promise<void> = Promise.resolve();
  /** Why the first message is not through yet, as the server said it; null while nothing is known. */
  #trouble: string | null = null;
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

  /** Takes up what earlier runs left, before what this one has added. A storage that cannot be read holds nothing. */
  async load(): Promise<void> {
    const left = parseOutbox(await this.#records());
    const own = [...this.#entries.values()].filter(({ id }) => !left.some((entry) => entry.id === id));
    this.#entries.clear();
    // Written once more: what could not be kept then may be kept now, and if not, whoever wrote it is told.
    for (const entry of left) this.#put(entry);
    for (const entry of own) this.#put({ ...entry, place: this.#nextPlace() });
    this.#publish();
    await this.#writes;
  }

  add(body: SendBody): Sending {
    if (!hasContent(body)) throw new ApiError({ code: "invalid_request", message: "There is nothing to send." });
    const id = body.id ?? uuid();
    refuseUnsendable({ ...body, id });
    const queuedAt = new Date(this.#clock.now()).toISOString();
    const entry = OutboxEntry.parse({ ...body, id, queuedAt, place: this.#nextPlace() });
    const acknowledged = new Promise<Acknowledgement>((resolve, reject) => {
      this.#waiters.set(entry.id, { resolve, reject });
    });
    acknowledged.catch(() => {});
    this.#put(entry);
    return { id: entry.id, acknowledged };
  }

  resend(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry?.refused) return;
    const { refused: _, ...again } = entry;
    this.#put(again);
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
    this.#next();
  }

  disconnected(): void {
    this.#connected = false;
    this.#first = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** `seen`: the message has come back as an event. Without an entry of this id, or for the second time: nothing. */
  acknowledge(id: string, { seq, state, duplicate }: Acknowledgement, seen: boolean): void {
    const entry = this.#entries.get(id);
    if (seen && this.#landed.delete(id)) this.#publish();
    if (!entry) return;
    if (!seen) this.#landed.set(id, entry);
    this.#waiters.get(id)?.resolve({ seq, state, duplicate });
    // The record goes after the promise: losing it again only means one duplicate, which the server recognises.
    void this.#forget(id);
  }

  /** Whether the refused id was a message of ours. Refusals that pass are tried again by themselves, ever more slowly. */
  refuse(id: string, error: ApiError, retryAfterMs: number | undefined): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return this.#landed.has(id);
    const passes = error.retryable || (error.code === "busy" && entry.whenBusy !== "reject");
    if (passes) {
      if (id === this.#first) this.#tryLater(error.message, retryAfterMs);
      return true;
    }
    this.#waiters.get(id)?.reject(error);
    this.#waiters.delete(id);
    const refused = { ...entry, refused: { code: error.code, message: error.message } };
    if (error.code === "idempotency_conflict") {
      // Another message has this id for ever: this one is kept under a new one, or it could never be sent.
      void this.#forget(id);
      this.#put({ ...refused, id: uuid(), place: this.#nextPlace() });
    } else {
      this.#put(refused);
      this.#settle(id);
    }
    return true;
  }

  /** The events are read anew from the first: nothing is known to have been seen. */
  reset(): void {
    this.#landed.clear();
    this.#publish();
  }

  /** No connection will come any more: whoever waits is told, the records stay for the next run. */
  end(error: ApiError): void {
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
    this.#trouble = error.message;
    this.#publish();
  }

  /** Sends the first message that was not refused, unless it is on its way already or has to wait. */
  #next(): void {
    if (!this.#connected || this.#timer !== null) return;
    const entry = [...this.#entries.values()].find(({ refused }) => !refused);
    if (!entry || this.#saving.has(entry.id)) return;
    const { queuedAt: _queuedAt, place: _place, refused: _refused, ...frame } = entry;
    if (!this.#transmit({ type: "message:send", ...frame })) return;
    this.#first = entry.id;
    this.#wait(ACK_WITHIN_MS);
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = null;
      this.#first = null;
      this.#next();
    });
  }

  #tryLater(why: string, retryAfterMs: number | undefined): void {
    this.#trouble = why;
    this.#wait(retryDelayMs(this.#tries, this.#clock.random(), retryAfterMs));
    this.#tries += 1;
    this.#publish();
  }

  /** This message is through, one way or the other: on to the next. */
  #settle(id: string): void {
    if (id === this.#first) {
      this.#timer?.cancel();
      this.#timer = null;
      this.#first = null;
      this.#tries = 0;
      this.#trouble = null;
    }
    this.#next();
  }

  #nextPlace(): number {
    return Math.max(0, ...[...this.#entries.values()].map(({ place }) => place)) + 1;
  }

  /** Kept before it is sent: a client that dies in between sends it again. */
  #put(entry: OutboxEntry): void {
    this.#entries.set(entry.id, entry);
    this.#saving.add(entry.id);
    this.#publish();
    void this.#write(async () => {
      // A full or forbidden storage must not stop the message itself; whoever wrote it is told.
      const kept = await this.#isKept(entry);
      this.#saving.delete(entry.id);
      const changed = kept ? this.#unkept.delete(entry.id) : !this.#unkept.has(entry.id);
      if (!kept) this.#unkept.add(entry.id);
      if (changed) this.#publish();
      this.#next();
    });
  }

  #forget(id: string): Promise<void> {
    this.#entries.delete(id);
    this.#waiters.delete(id);
    this.#settle(id);
    this.#publish();
    return this.#write(async () => {
      this.#unkept.delete(id);
      // A record that stays is sent once more by the next run, and recognised.
      await this.#storage.remove(id);
    });
  }

  /** One after the other, or an older record of a message could overwrite a newer one. Never rejects. */
  #write(run: () => Promise<void>): Promise<void> {
    this.#writes = this.#writes.then(run).catch(() => {});
    return this.#writes;
  }

  async #isKept(entry: OutboxEntry): Promise<boolean> {
    try {
      await this.#storage.save(entry.id, JSON.stringify(entry));
      return true;
    } catch {
      return false;
    }
  }

  async #records(): Promise<string[]> {
    try {
      return await this.#storage.load();
    } catch {
      return [];
    }
  }

  #publish(): void {
    const first = [...this.#entries.values()].find(({ refused }) => !refused)?.id;
    const shown = (entry: OutboxEntry, state: PendingSend["state"], error: string | null): PendingSend => ({
      id: entry.id,
      entry,
      state,
      error,
      kept: !this.#unkept.has(entry.id),
    });
    this.#changed([
      ...[...this.#landed.values()].map((entry) => shown(entry, "saved", null)),
      ...[...this.#entries.values()].map((entry) =>
        entry.refused
          ? shown(entry, "failed", entry.refused.message)
          : shown(entry, "sending", entry.id === first ? this.#trouble : null),
      ),
    ]);
  }
}
