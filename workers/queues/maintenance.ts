/** The queue `mosaic-maintenance`: work that the timer asks for. Every job may run twice, and leaves the rest to the next hour. */
import * as z from "zod";
import { AppError } from "../../shared/domain/app-error.ts";
import { retryDelaySeconds } from "../../shared/domain/jobs/retry-delay.ts";
import type { Maintenance } from "../../shared/ports/maintenance.ts";
import type { ProviderStore } from "../../shared/ports/provider-store.ts";

export const MaintenanceMessage = z.strictObject({ job: z.enum(["sweep-expired", "rewrap-credentials"]) });
export type MaintenanceMessage = z.infer<typeof MaintenanceMessage>;

/** What jobs and consumers may use. */
export interface Work {
  maintenance: Maintenance;
  credentials: Pick<ProviderStore, "rewrap">;
  /** Puts a message on `mosaic-maintenance`. */
  send(message: MaintenanceMessage): Promise<unknown>;
}

const ROWS_AT_ONCE = 500;
/** Rounds of one message; what is left then is the next message's. */
const ROUNDS = 10;

async function sweepExpired({ maintenance, send }: Work): Promise<void> {
  let removed = 0;
  let more = true;
  for (let round = 0; round < ROUNDS && more; round += 1) {
    const swept = await maintenance.sweepExpired(ROWS_AT_ONCE);
    removed += swept.rows;
    more = swept.more;
  }
  if (removed > 0) console.log(`Maintenance: removed ${removed} expired rows${more ? ", more are left" : ""}.`);
  if (more) await send({ job: "sweep-expired" });
}

const CREDENTIALS_AT_ONCE = 500;

/** Moves saved credentials under the newest key. Says something only when there was something to do, or something is wrong. */
async function rewrapCredentials({ credentials, send }: Work): Promise<void> {
  const { rewrapped, failed, byKey } = await credentials.rewrap(CREDENTIALS_AT_ONCE);
  const counts = Object.entries(byKey).map(([key, count]) => `${count} under ${key}`);
  if (rewrapped > 0)
    console.log(`Maintenance: moved ${rewrapped} credentials to the newest key; now ${counts.join(", ")}.`);
  if (failed > 0)
    console.error(
      `Maintenance: ${failed} credentials cannot be opened with the keys in CREDENTIALS_KEYS; put the missing key back.`,
    );
  if (rewrapped === CREDENTIALS_AT_ONCE) await send({ job: "rewrap-credentials" });
}

const jobs: Record<MaintenanceMessage["job"], (work: Work) => Promise<void>> = {
  "sweep-expired": sweepExpired,
  "rewrap-credentials": rewrapCredentials,
};

/** Each message for itself: done, or again after a while; after the third failure it is a dead letter. Never throws. */
export async function consumeMaintenance(batch: MessageBatch, work: Work): Promise<void> {
  for (const message of batch.messages) {
    const parsed = MaintenanceMessage.safeParse(message.body);
    if (!parsed.success) {
      // No later attempt could read it either.
      console.error(`Maintenance: the message ${message.id} has a form that no job knows; it was dropped.`);
      message.ack();
      continue;
    }
    try {
      await jobs[parsed.data.job](work);
      message.ack();
    } catch (error) {
      const delaySeconds = retryDelaySeconds(message.attempts);
      // Names and our own sentences only: the database's may repeat what is in a row.
      const reason = error instanceof AppError ? error.message : error instanceof Error ? error.name : "unknown";
      console.error(`Maintenance: ${parsed.data.job} failed (attempt ${message.attempts}): ${reason}`);
      message.retry({ delaySeconds });
    }
  }
}
