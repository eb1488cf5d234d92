import { Connector } from "../durable-objects/connector/object.ts";
import { Conversation } from "../durable-objects/conversation/object.ts";
import { ProviderHealth } from "../durable-objects/provider-health/object.ts";
import { ProviderLogin } from "../durable-objects/provider-login/object.ts";
import { servicesFor } from "../durable-objects/services-for.ts";
import { type Bindings, connectorObject, conversationObject } from "../durable-objects/stubs.ts";
import { createApp } from "./app.ts";
import { runCron, type TimedWork } from "./cron/run-cron.ts";
import { consume } from "./queues/consume.ts";
import type { MaintenanceMessage, Work } from "./queues/maintenance.ts";

interface WorkerBindings extends Bindings {
  MAINTENANCE: Queue<MaintenanceMessage>;
}

const app = createApp<WorkerBindings>({
  services: servicesFor,
  conversation: conversationObject,
  connector: connectorObject,
});

const workFor = (env: WorkerBindings): Work => ({
  // Only when asked for: wrong settings then fail one message, and a dead letter is logged all the same.
  maintenance: { sweepExpired: async (atMost) => await servicesFor(env).maintenance.sweepExpired(atMost) },
  credentials: { rewrap: async (limit) => await servicesFor(env).providerStore.rewrap(limit) },
  send: (message) => env.MAINTENANCE.send(message),
});

const timedWorkFor = (env: WorkerBindings): TimedWork => ({
  send: (message) => env.MAINTENANCE.send(message),
  probes: {
    everySeconds: () => servicesFor(env).settings.PROVIDER_PROBE_SECONDS,
    probeDue: (forMs) => servicesFor(env).health.probeDue(forMs),
    wait: (ms) => servicesFor(env).timers.wait(ms),
    now: () => servicesFor(env).now().getTime(),
  },
});

export default {
  fetch: (request, env) => app.fetch(request, env),
  queue: (batch, env) => consume(batch, workFor(env)),
  scheduled: ({ cron }, env) => runCron(cron, timedWorkFor(env)),
} satisfies ExportedHandler<WorkerBindings>;

export { Connector, Conversation, ProviderHealth, ProviderLogin };
