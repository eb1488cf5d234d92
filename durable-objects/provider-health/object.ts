import { createDurable } from "itty-durable/itty-durable.js";
import { afterNews } from "../../shared/domain/providers/breaker.ts";
import type { HealthRecord } from "../../shared/domain/providers/health.ts";
import { HealthMessage } from "./health-message.ts";

/**
 * The breaker of one provider instance: whichever isolate learns something, it is counted here. A few fields, no socket,
 * no alarm; how long the breaker stays open is read off the clock by whoever looks.
 */
export class ProviderHealth extends createDurable({ autoPersist: false }) {
  health: HealthRecord | null = null;

  /**
   * Takes news in. By the library's way a call is a request with its arguments in a header, so they come as one text
   * of ASCII.
   * @returns the record as it is then
   */
  async learn(encoded: string): Promise<HealthRecord> {
    // Without it a state that was never loaded would be written over the stored one.
    await this.loadFromStorage();
    const { known, ofVersion, news } = HealthMessage.parse(JSON.parse(decodeURIComponent(encoded)));
    const own = this.health;
    const before = own && own.version >= known.version ? own : known;
    const health = afterNews(before, ofVersion, news, Date.now());
    this.health = health;
    await this.persist();
    return health;
  }
  /** The instance is gone, and what was known of it with it. @returns true, because every answer here is one of JSON */
  async forget(): Promise<boolean> {
    this.health = null;
    await this.destroy();
    return true;
  }
}
