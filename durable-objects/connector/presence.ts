/**
 * Tells Postgres what a machine offers and when it is gone; only what changed, and not that it was away for a moment.
 * A machine that went away is told of `GONE_AFTER_MS` after it was heard of last; what Postgres could not take is told again later.
 */
import * as z from "zod";
import { Upstream } from "../../shared/contract/connector.ts";

const TOLD = "told";
const TOLD_AT = "told-at";
const GONE_AFTER_MS = 30_000;
const AGAIN_AFTER_MS = 60_000;

export const Offer = z.object({ upstreams: z.array(Upstream), clientVersion: z.string() });
export type Offer = z.infer<typeof Offer>;

interface Deps {
  storage: Pick<DurableObjectStorage, "kv" | "getAlarm" | "setAlarm">;
  now(): number;
  background(work: Promise<unknown>): void;
  /** What the machine offers now; null while it is away. */
  offer(): Offer | null;
  /** What is told with an earlier `atMs` than before is not heard. @returns false where Postgres knows no such connector any more */
  announce(offer: Offer | null, atMs: number): Promise<boolean>;
  onUnknown(): void;
}

export class Presence {
  readonly #deps: Deps;
  #telling = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Something may have changed; the machine was heard of last at that time. */
  review(heardAtMs: number): void {
    const offer = this.#deps.offer();
    if (this.#isTold(offer)) return;
    this.#deps.background(offer ? this.tell() : this.#tellLater(heardAtMs));
  }

  /** Never throws. */
  async tell(): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    try {
      let offer = this.#deps.offer();
      while (!this.#isTold(offer)) {
        if (!(await this.#deps.announce(offer, this.#laterMs()))) {
          this.#deps.onUnknown();
          return;
        }
        this.#deps.storage.kv.put(TOLD, offer);
        offer = this.#deps.offer();
      }
    } catch {
      await this.#deps.storage.setAlarm(this.#deps.now() + AGAIN_AFTER_MS);
    } finally {
      this.#telling = false;
    }
  }

  /** Later than all that was told, also where the object has moved to a machine whose clock is behind. */
  #laterMs(): number {
    const { storage, now } = this.#deps;
    const atMs = Math.max(now(), z.number().catch(0).parse(storage.kv.get(TOLD_AT)) + 1);
    storage.kv.put(TOLD_AT, atMs);
    return atMs;
  }

  async #tellLater(heardAtMs: number): Promise<void> {
    const pending = await this.#deps.storage.getAlarm();
    if (pending === null) await this.#deps.storage.setAlarm(heardAtMs + GONE_AFTER_MS);
  }

  #isTold(offer: Offer | null): boolean {
    const told = Offer.nullable().safeParse(this.#deps.storage.kv.get(TOLD) ?? null).data ?? null;
    return JSON.stringify(told) === JSON.stringify(offer);
  }
}
