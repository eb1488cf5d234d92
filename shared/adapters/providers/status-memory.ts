import type { HealthRecord } from "../../domain/providers/health.ts";
import type { InstanceStatus, ModelFacts } from "../../domain/providers/turn-configuration.ts";

/** Instances that are remembered; beyond that the oldest go, and are read again with the next configuration. */
const MAX_REMEMBERED = 5_000;

interface Known {
  health: HealthRecord | null;
  listed: ModelFacts[] | null;
  /** Nobody but objects' snapshots said so. */
  isPart: boolean;
}

/**
 * What this isolate has heard of instances: the mirror's word where that is newer, its own where the mirror has not
 * caught up or cannot be read.
 */
export class StatusMemory {
  readonly #known = new Map<string, Known>();

  /** Takes a mirror's word in. */
  hear({ providerId, health, listed, isPart }: InstanceStatus): void {
    this.learn(providerId, health);
    if (listed && isPart) this.#addPart(providerId, listed);
    else if (listed) this.keepList(providerId, listed);
  }

  learn(providerId: string, health: HealthRecord): void {
    const known = this.#entry(providerId);
    if (!known.health || health.version > known.health.version) known.health = health;
  }

  keepList(providerId: string, listed: ModelFacts[]): void {
    const known = this.#entry(providerId);
    known.listed = listed;
    known.isPart = false;
  }

  health(providerId: string): HealthRecord | null {
    return this.#known.get(providerId)?.health ?? null;
  }

  listed(providerId: string): ModelFacts[] | null {
    return this.#known.get(providerId)?.listed ?? null;
  }

  /** Parts of several objects are put together; a list that is known as a whole is better than any of them. */
  #addPart(providerId: string, part: ModelFacts[]): void {
    const known = this.#entry(providerId);
    if (known.listed && !known.isPart) return;
    const here = new Set(known.listed?.map(({ id }) => id));
    const others = part.filter(({ id }) => !here.has(id));
    if (known.listed === null || others.length > 0) known.listed = [...(known.listed ?? []), ...others];
    known.isPart = true;
  }

  #entry(providerId: string): Known {
    const known = this.#known.get(providerId) ?? { health: null, listed: null, isPart: false };
    this.#known.delete(providerId);
    this.#known.set(providerId, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
