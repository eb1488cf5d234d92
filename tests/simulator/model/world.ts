/** One schedule: an object, a database, models and clients, in virtual time. */
import { Conversation } from "../../../durable-objects/conversation/object.ts";
import { migrateSchema } from "../../../durable-objects/conversation/schema.ts";
import type { Bindings } from "../../../durable-objects/stubs.ts";
import type { Conversation as ConversationRow } from "../../../shared/contract/conversation.ts";
import type { Principal } from "../../../shared/ports/sign-in.ts";
import { Device } from "./device.ts";
import { Disk } from "./disk.ts";
import { emptyHistory, type History } from "./history.ts";
import { ObjectHost } from "./object-host.ts";
import { installPlatformGlobals } from "./platform-globals.ts";
import { Postgres } from "./postgres.ts";
import type { ProviderMood } from "./provider.ts";
import { GOOD_MOOD } from "./provider.ts";
import { Random } from "./random.ts";
import { BEGINNING_MS, Scheduler } from "./scheduler.ts";
import { servicesOf } from "./services.ts";
import { ScriptedTools } from "./tools.ts";
import { Wire } from "./wire.ts";

installPlatformGlobals();

const WORKSPACE = "cccccccc-0000-7000-8000-000000000001";
const OWNER = "aaaaaaaa-0000-7000-8000-000000000001";
export const CONVERSATION = "dddddddd-0000-7000-8000-000000000001";
const DAY_MS = 86_400_000;

/** The one disk of this process: tables are made once, rows go with each schedule. */
const disk = new Disk();
migrateSchema({
  sql: { exec: (query: string, ...bindings: unknown[]) => disk.exec(query, ...bindings) },
  transactionSync: <Value>(work: () => Value) => disk.transactionSync(work),
} as unknown as DurableObjectStorage);
disk.flush();

export const aConversation = (): ConversationRow => ({
  id: CONVERSATION,
  workspaceId: WORKSPACE,
  ownerUserId: OWNER,
  visibility: "workspace",
  title: "New conversation",
  model: null,
  agentId: null,
  personalityId: null,
  headId: null,
  forkedFrom: null,
  version: 1,
  createdAt: new Date(BEGINNING_MS).toISOString(),
  updatedAt: new Date(BEGINNING_MS).toISOString(),
});

export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly disk = disk;
  readonly postgres: Postgres;
  readonly wire: Wire;
  readonly tools: ScriptedTools;
  readonly host: ObjectHost;
  readonly history: History = emptyHistory();
  /** Everybody has left for a while: nobody comes back before they all do. */
  isDeserted = false;
  readonly devices: Device[] = [];
  mood: ProviderMood = { ...GOOD_MOOD };
  modelCalls = 0;
  #ids = 0;

  constructor(seed: number, trace: string[] | null) {
    this.random = new Random(seed);
    const { random } = this;
    this.scheduler = new Scheduler(random, trace);
    if (random.chance(0.35)) this.mood.callsTools = random.next() * 0.5;
    const slowDisk = random.chance(0.2) ? random.between(10, 200) : 4;
    disk.begin(
      this.scheduler,
      () => random.below(slowDisk),
      () => this.host.flushed(),
    );
    this.postgres = new Postgres(aConversation());
    this.wire = new Wire(this.scheduler, disk);
    this.tools = new ScriptedTools(this.scheduler, disk);
    this.host = new ObjectHost({
      scheduler: this.scheduler,
      disk,
      id: CONVERSATION,
      make: (context, awake) => {
        const around = {
          scheduler: this.scheduler,
          disk,
          wire: this.wire,
          postgres: this.postgres,
          tools: this.tools,
          mood: () => this.mood,
          newId: this.newId,
          onModelAsked: () => {
            this.modelCalls++;
          },
        };
        const env = { services: servicesOf(around, awake) } as unknown as Bindings;
        return new Conversation(context, env);
      },
      onThrow: (what, error) => this.violation("nothing throws", `${what}: ${messageOf(error)}`),
    });
  }

  newId = (): string => {
    this.#ids++;
    return `00000000-0000-7000-8000-${this.#ids.toString(16).padStart(12, "0")}`;
  };

  violation(check: string, detail: string): void {
    this.history.violations.push({ check, detail });
  }

  /** Another person's or another window's client. */
  addDevice(): Device {
    const { random } = this;
    const index = this.devices.length;
    const slow = random.chance(0.1) ? random.between(100, 1_500) : random.between(2, 40);
    const device = new Device({
      index,
      scheduler: this.scheduler,
      host: this.host,
      history: this.history,
      conversationId: CONVERSATION,
      principal: principalOf(index),
      skewMs: random.between(-DAY_MS, DAY_MS),
      delayMs: () => 1 + random.below(slow),
    });
    this.devices.push(device);
    return device;
  }
}

export const principalOf = (index: number): Principal => ({
  userId: OWNER,
  name: `Person ${index}`,
  credentialId: `credential-${index}`,
  credential: "session",
  workspaces: [{ id: WORKSPACE, role: "owner" }],
  isInstanceAdmin: false,
  expiresAt: "2999-01-01T00:00:00.000Z",
});

export const messageOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" | ") : String(error);
