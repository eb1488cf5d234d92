/** The queue `mosaic-maintenance-dead`: what failed for good. Nothing is lost by it, the next hour asks again. */
import { MaintenanceMessage } from "./maintenance.ts";

export async function consumeDeadMaintenance(batch: MessageBatch): Promise<void> {
  for (const message of batch.messages) {
    const parsed = MaintenanceMessage.safeParse(message.body);
    const job = parsed.success ? parsed.data.job : "an unknown job";
    console.error(
      `Maintenance: gave up on ${job} (message ${message.id}, sent ${message.timestamp.toISOString()}) after every attempt failed; the timer asks for it again.`,
    );
    message.ack();
  }
}
