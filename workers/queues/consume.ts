import { consumeMaintenance, type Work } from "./maintenance.ts";
import { consumeDeadMaintenance } from "./maintenance-dead.ts";

/** By the queue's name in wrangler.toml. */
const consumers: Record<string, (batch: MessageBatch, work: Work) => Promise<void>> = {
  "mosaic-maintenance": consumeMaintenance,
  "mosaic-maintenance-dead": consumeDeadMaintenance,
};

export const queueNames = Object.keys(consumers);

/** @throws Error for a queue without a consumer; its messages are kept then, not lost */
export async function consume(batch: MessageBatch, work: Work): Promise<void> {
  const consumer = consumers[batch.queue];
  if (!consumer) throw new Error(`The queue "${batch.queue}" has no consumer; add one in workers/queues/consume.ts.`);
  await consumer(batch, work);
}
