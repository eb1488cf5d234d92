import { AppError } from "../../../shared/domain/app-error.ts";
import type { AccountStore } from "../../../shared/ports/account-store.ts";
import type { ConfigurationReader, ConversationStore, EventSink } from "../../../shared/ports/conversation-store.ts";
import type { JobStore } from "../../../shared/ports/job-store.ts";
import type { ProviderInstance } from "../../../shared/ports/provider-directory.ts";
import type { Timers } from "../../../shared/ports/timers.ts";
import type { Services } from "../../../shared/runtime/services.ts";
import { aConfiguration, aModel } from "../../../shared/testing/builders.ts";
import type { Disk } from "./disk.ts";
import type { Awake } from "./object-host.ts";
import type { Postgres } from "./postgres.ts";
import { type ProviderMood, ScriptedProvider } from "./provider.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ScriptedTools } from "./tools.ts";
import type { Reply, Wire } from "./wire.ts";

export interface Surroundings {
  scheduler: Scheduler;
  disk: Disk;
  wire: Wire;
  postgres: Postgres;
  tools: ScriptedTools;
  mood: () => ProviderMood;
  newId: () => string;
  onModelAsked: () => void;
}

const MODELS = [
  aModel({ id: "model-one", providerId: "one" }),
  aModel({ id: "model-two", providerId: "two", name: "Two" }),
];

/** What one run of the object may use. What it never asks for is not there: a call would say so at once. */
export function servicesOf(around: Surroundings, awake: Awake): Services {
  const { scheduler, newId } = around;
  const services = {
    conversations: conversationsOf(around, awake),
    events: sinkOf(around, awake),
    configuration: configurationOf(around, awake),
    jobs: jobsOf(around, awake),
    accounts: accountsOf(around, awake),
    providers: { environment: () => [], instances: () => instancesOf(around, awake) },
    health: { report: () => {}, trial: () => true, firstLook: async () => {} },
    settings: { PROVIDER_HEADERS_TIMEOUT_MS: 60_000, PROVIDER_IDLE_TIMEOUT_MS: 60_000 },
    tools: around.tools.hostOf(awake),
    timers: timersOf(scheduler, awake),
    newId,
    random: () => scheduler.random.next(),
    now: () => new Date(scheduler.now),
  };
  return services as unknown as Services;
}

function timersOf(scheduler: Scheduler, awake: Awake): Timers {
  const after = (ms: number, run: () => void) => {
    const end = awake.begin();
    const late = scheduler.random.chance(0.1) ? scheduler.random.below(30) : 0;
    const fire = (): void => {
      end();
      run();
    };
    const planned = scheduler.after(ms + late, "object:timer", fire, awake.life);
    return {
      cancel: () => {
        end();
        planned.cancel();
      },
    };
  };
  return { after, wait: (ms) => new Promise((resolve) => void after(ms, resolve)) };
}

function answerOf<Value>(reply: Reply<Value>): Value {
  if (reply.ok) return reply.value;
  throw new AppError("database_unavailable", "The database does not answer; try again in a moment.");
}

function sinkOf({ wire, postgres }: Surroundings, awake: Awake): EventSink {
  return {
    drain: async (_scope, { events }) => {
      // What travels is text: nothing the object changes later changes it.
      const sent = JSON.stringify(events);
      const reply = await wire.request(awake, "sink", () => postgres.drain(JSON.parse(sent)));
      return reply.ok ? reply.value : { ok: false, retry: true, message: reply.message };
    },
  };
}

function conversationsOf({ wire, postgres, scheduler }: Surroundings, awake: Awake): ConversationStore {
  const ask = async <Value>(kind: string, perform: () => Value): Promise<Value> =>
    answerOf(await wire.request(awake, kind, perform));
  const store = {
    find: () =>
      ask("find", () =>
        postgres.conversation ? { conversation: postgres.conversation, lastSeq: postgres.lastSeq } : null,
      ),
    update: (_scope: unknown, _id: string, changes: Parameters<ConversationStore["update"]>[2]) =>
      ask("update", () => postgres.update(changes, new Date(scheduler.now).toISOString())),
    events: (_scope: unknown, _id: string, after: number, limit: number) =>
      ask("events", () => postgres.after(after, limit)),
  };
  return store as unknown as ConversationStore;
}

function jobsOf({ wire, postgres }: Surroundings, awake: Awake): Pick<JobStore, "report"> {
  return {
    report: async (_scope, _id, jobs) =>
      answerOf(
        await wire.request(awake, "jobs", () => {
          for (const { id, revision } of jobs) postgres.jobs.set(id, Math.max(revision, postgres.jobs.get(id) ?? 0));
          return true;
        }),
      ),
  };
}

function configurationOf({ wire }: Surroundings, awake: Awake): ConfigurationReader {
  const configuration = aConfiguration();
  return { read: async () => answerOf(await wire.request(awake, "configuration", () => configuration)) };
}

function accountsOf({ wire, postgres }: Surroundings, awake: Awake): AccountStore {
  const accounts = {
    recordAttachment: async (_scope: unknown, _id: string, credentialId: string) =>
      answerOf(
        await wire.request(awake, "attach", () => {
          postgres.attachments.add(credentialId);
          return "write";
        }),
      ),
    removeAttachment: async (_scope: unknown, _id: string, credentialId: string) =>
      answerOf(await wire.request(awake, "detach", () => void postgres.attachments.delete(credentialId))),
  };
  return accounts as unknown as AccountStore;
}

function instancesOf({ scheduler, disk, mood, onModelAsked }: Surroundings, awake: Awake): ProviderInstance[] {
  const provider = new ScriptedProvider({ scheduler, disk, awake, mood, asked: onModelAsked });
  return MODELS.map((model) => ({
    id: model.providerId,
    kind: "anthropic",
    version: 1,
    displayName: model.name,
    health: "healthy",
    breaker: "closed",
    trouble: null,
    isDefault: false,
    isPersonal: false,
    models: [model],
    provider,
  }));
}
