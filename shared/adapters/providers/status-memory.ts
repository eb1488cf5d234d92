import type { HealthRecord } from "../../domain/providers/health.ts";
import type { InstanceStatus, ModelFacts } from "../../domain/providers/turn-configuration.ts";

/** Instances that are remembered; beyond that the oldest go, and are read again with the next configuration. */
const MAX_REMEMBERED = 5_000;

interface Known {
  health: HealthRecord | null;
  listed: ModelFacts[] | null;
}

/**
 * What this isolate has heard of instances: the mirror's word where that is newer, its own where the mirror has not
 * caught up or cannot be read.
 */
export class StatusMemory {
  readonly #known = new Map<string, Known>();

  /** Takes a mirror's word in. */
  hear({ providerId, health, listed }: InstanceStatus): void {
    this.learn(providerId, health);
    if (listed) this.keepList(providerId, listed);
  }

  learn(providerId: string, health: HealthRecord): void {
    const known = this.#entry(providerId);
    if (!known.health || health.version > known.health.version) known.health = health;
  }

  keepList(providerId: string, listed: ModelFacts[]): void {
    this.#entry(providerId).listed = listed;
  }

  health(providerId: string): HealthRecord | null {
    return this.#known.get(providerId)?.health ?? null;
  }

  listed(providerId: string): ModelFacts[] | null {
    return this.#known.get(providerId)?.listed ?? null;
  }

  #entry(providerId: string): Known {
    const known = this.#known.get(providerId) ?? { health: null, listed: null };
    this.#known.delete(providerId);
    this.#known.set(providerId, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
