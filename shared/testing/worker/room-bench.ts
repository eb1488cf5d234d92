import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { create } from "../../../durable-objects/conversation/birth.ts";
import { createRoom } from "../../../durable-objects/conversation/create-room.ts";
import { sendMessage } from "../../../durable-objects/conversation/messages.ts";
import type { Room } from "../../../durable-objects/conversation/room.ts";
import { WATCHDOG_ALARM } from "../../../durable-objects/conversation/turn-queue.ts";
import type { Bindings } from "../../../durable-objects/stubs.ts";
import { memoryServices } from "../../../workers/testing/memory-services.ts";
import type { ConversationEvent } from "../../contract/events.ts";
import type { Message } from "../../contract/message.ts";
import type { Principal } from "../../domain/access/principal.ts";
import { unwrap } from "../../domain/app-error.ts";
import type { TrafficOutcome } from "../../ports/provider-directory.ts";
import type { ToolOutcome } from "../../ports/tool-host.ts";
import type { Services } from "../../runtime/services.ts";
import { aPrincipal } from "../builders.ts";
import { handClock } from "../hand-clock.ts";
import { aScriptedModel, type ScriptedModel } from "../providers/scripted-model.ts";

type EventOf<Type extends ConversationEvent["type"]> = Extract<ConversationEvent, { type: Type }>;

export interface ToolRun {
  name: string;
  input: unknown;
  signal: AbortSignal;
  end(outcome: ToolOutcome): void;
  fail(error: Error): void;
}

/**
 * The conversation object's code over a real object's storage, with models and tools that do what a test says, under a
 * clock that stands until it is moved.
 */
export class RoomBench {
  readonly models: readonly [ScriptedModel, ScriptedModel];
  readonly toolRuns: ToolRun[] = [];
  /** What the breakers were told. */
  readonly reports: { id: string; outcome: TrafficOutcome }[] = [];
  readonly owner: Principal;
  readonly clock = handClock();
  room: Room;
  readonly #ctx: DurableObjectState;
  /** Of the room that is there and of those after it. */
  readonly services: Services;

  constructor(ctx: DurableObjectState, id: string) {
    this.#ctx = ctx;
    this.models = [aScriptedModel("anthropic", "first"), aScriptedModel("openai", "second")];
    this.clock.set(Date.parse("2026-11-21T12:00:00Z"));
    this.services = this.#compose();
    const workspaceId = newId();
    this.owner = aPrincipal({ userId: newId(), workspaces: [{ id: workspaceId, role: "owner" }] });
    this.room = createRoom(ctx, env as unknown as Bindings, this.services);
    const at = this.services.now().toISOString();
    unwrap(
      create(
        this.room,
        this.owner,
        {
          id,
          workspaceId,
          ownerUserId: this.owner.userId,
          visibility: "private",
          title: "Bench",
          model: null,
          agentId: null,
          personalityId: null,
          forkedFrom: null,
          headId: null,
          version: 1,
          createdAt: at,
          updatedAt: at,
        },
        null,
      ),
    );
  }

  #compose(): Services {
    const { clock, models } = this;
    const tool = (name: string, safeToRepeat: boolean, needsApproval: boolean) => ({
      name,
      description: name,
      inputSchema: { type: "object" },
      safeToRepeat,
      needsApproval,
    });
    const { services } = memoryServices();
    return {
      ...services,
      now: () => new Date(clock.now()),
      timers: { after: clock.after, wait: (ms) => new Promise((resolve) => clock.after(ms, resolve)) },
      newId: () => newId(),
      providers: { ...services.providers, environment: () => [], instances: () => models.map((each) => each.instance) },
      health: { ...services.health, report: ({ id }, outcome) => void this.reports.push({ id, outcome }) },
      tools: {
        definitions: () => [tool("look", true, false), tool("send", false, false), tool("pay", false, true)],
        call: ({ name, input }, { signal }) =>
          new Promise((end, fail) => this.toolRuns.push({ name, input, signal, end, fail })),
      },
    };
  }

  say(text: string, whenBusy: "queue" | "steer" | "reject" = "queue", id = newId()) {
    return unwrap(sendMessage(this.room, this.owner, id, { text, whenBusy }, "web"));
  }

  /** Lets everything happen that needs no time to pass. */
  async settle(): Promise<void> {
    for (let round = 0; round < 12; round++) {
      this.clock.forward(0);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  async forward(ms: number): Promise<void> {
    this.clock.forward(ms);
    await this.settle();
  }

  /** Memory is gone, storage stays. */
  lose(): void {
    this.room.queue.abandon();
    this.room.journal.forget();
    this.room = createRoom(this.#ctx, env as unknown as Bindings, this.services);
  }

  /** The same, and then the alarm that the start has armed picks the turn up. */
  async crash(): Promise<void> {
    this.lose();
    await this.fireWatchdog();
  }

  async watch(): Promise<void> {
    this.room.queue.watch();
    await this.settle();
  }

  /** When the watchdog comes by next, in milliseconds from now; null when it is not armed. */
  get watchdogInMs(): number | null {
    const [row] = this.#ctx.storage.sql
      .exec<{ at: number }>("select at from alarms where name = ?", WATCHDOG_ALARM)
      .toArray();
    return row ? row.at - this.clock.now() : null;
  }

  /** As if the alarm had fired: it is handed out once. */
  async fireWatchdog(): Promise<void> {
    const inMs = this.watchdogInMs ?? 0;
    this.clock.forward(Math.max(0, inMs));
    this.room.alarms.takeDue(this.clock.now());
    await this.watch();
  }

  events<Type extends ConversationEvent["type"]>(type: Type): EventOf<Type>[] {
    return this.log.filter((event): event is EventOf<Type> => event.type === type);
  }

  get log(): ConversationEvent[] {
    return this.room.journal.eventsAfter(0, 10_000).map(({ event }) => event);
  }

  /** The endings of a turn; there must be exactly one. */
  endings(turnId: string | null): ConversationEvent[] {
    const kinds = ["turn:completed", "turn:failed", "turn:interrupted"];
    return this.log.filter((event) => "turnId" in event && event.turnId === turnId && kinds.includes(event.type));
  }

  answerTo(messageId: string): Message | undefined {
    const sql = "select * from messages where role = 'assistant' order by seq";
    return [...this.room.journal.page({ sql, args: [] })].find((message) => message.metadata.replyTo === messageId);
  }
}

/** Runs a test inside an object of its own. */
export async function inRoom(test: (bench: RoomBench) => Promise<void>): Promise<void> {
  const { CONVERSATION } = env as unknown as Bindings;
  const id = newId();
  await runInDurableObject(CONVERSATION.get(CONVERSATION.idFromName(id)), async (_instance, ctx) => {
    const bench = new RoomBench(ctx, id);
    try {
      await test(bench);
    } finally {
      bench.room.queue.abandon();
      bench.room.journal.forget();
      await ctx.storage.deleteAlarm();
    }
  });
}
