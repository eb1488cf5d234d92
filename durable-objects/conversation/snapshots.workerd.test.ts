import { v7 as newId } from "uuid";
import { describe, expect, it } from "vitest";
import { createProviderDirectory } from "../../shared/adapters/providers/directory.ts";
import { StatusMemory } from "../../shared/adapters/providers/status-memory.ts";
import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { TurnConfiguration } from "../../shared/domain/providers/turn-configuration.ts";
import { aConfiguration, aHealth, aPrincipal, aProviderRecord } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { executeCommand } from "./commands.ts";
import { sendMessage } from "./messages.ts";

const ids = Array.from({ length: 300 }, (_, index) => `vendor/model-${index}`);

/** A gateway with 300 models of everybody's, for as long as Postgres is there; each person has one of their own as well. */
function withGateway(bench: RoomBench, defaultModel: string | null = null) {
  const gateway = aProviderRecord({ scope: "workspace", kind: "openrouter", displayName: "Gateway" });
  const own = new Map<string, ReturnType<typeof aProviderRecord>>();
  const ownOf = (userId: string) => {
    const record = own.get(userId) ?? aProviderRecord({ kind: "openai", displayName: `Of ${userId}` });
    own.set(userId, record);
    return record;
  };
  const is = { databaseAway: false };
  const listed = ids.map((id) => ({ id }));
  bench.services.configuration = {
    read: async ({ userId }): Promise<TurnConfiguration> => {
      if (is.databaseAway) throw new Error("away");
      const mine = ownOf(userId);
      return aConfiguration({
        workspace: { defaultModel, defaultProviderId: null, settings: {} },
        providers: [gateway, mine],
        status: [
          { providerId: gateway.id, health: aHealth({ state: "healthy" }), listed },
          { providerId: mine.id, health: aHealth({ state: "healthy" }), listed: [{ id: `gpt-of-${userId}` }] },
        ],
      });
    },
  };
  bench.services.conversations = {
    ...bench.services.conversations,
    update: async (_scope, _id, { model }): Promise<Conversation> => {
      const { born } = bench.room.journal;
      return { ...born, model: model === undefined ? born.model : model, version: born.version + 1 };
    },
  };
  /** Another isolate has heard of nothing. */
  const anotherIsolate = () => {
    bench.services.providers = createProviderDirectory({
      environment: [],
      open: () => bench.models[0].instance.provider,
      memory: new StatusMemory(),
      now: bench.services.now,
    });
  };
  anotherIsolate();
  bench.lose();
  return { is, anotherIsolate, gateway };
}

/** The receipt of what somebody asks, answered at once. */
async function ask(bench: RoomBench, who: Principal, model?: string) {
  unwrap(sendMessage(bench.room, who, newId(), { text: "hi", whenBusy: "queue", ...(model ? { model } : {}) }, "web"));
  await bench.settle();
  for (const answer of bench.models[0].asked.splice(0)) answer.text("here").finish();
  await bench.settle();
  const { chosen, configuration, rejected } = bench.events("turn:started").at(-1)?.receipt ?? {};
  return { model: chosen?.model, providerId: chosen?.providerId, configuration, rejected };
}

const pin = (bench: RoomBench, name: string) => executeCommand(bench.room, bench.owner, `/model ${name}`);

describe.each(["the same isolate", "another isolate"])("without a database, in %s", (where) => {
  const away = (house: ReturnType<typeof withGateway>): void => {
    house.is.databaseAway = true;
    if (where === "another isolate") house.anotherIsolate();
  };

  it("the pinned model answers, wherever it stands in its vendor's list", () =>
    inRoom(async (bench) => {
      const house = withGateway(bench);
      await pin(bench, "openrouter/vendor/model-250");
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-250", configuration: "fresh" });
      away(house);
      bench.lose();
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-250", configuration: "snapshot" });
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-250", configuration: "snapshot" });
    }));

  it("so does one that was pinned and not asked yet", () =>
    inRoom(async (bench) => {
      const house = withGateway(bench);
      await ask(bench, bench.owner);
      await pin(bench, "vendor/model-251");
      away(house);
      bench.lose();
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-251", configuration: "snapshot" });
    }));

  it("the workspace's default model answers, and what messages named before can be named again", () =>
    inRoom(async (bench) => {
      const house = withGateway(bench, "vendor/model-252");
      await ask(bench, bench.owner, "vendor/model-253");
      await ask(bench, bench.owner, "vendor/model-254");
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-252", rejected: [] });
      away(house);
      bench.lose();
      expect(await ask(bench, bench.owner)).toMatchObject({ model: "vendor/model-252", rejected: [] });
      for (const model of ["vendor/model-253", "vendor/model-254"])
        expect(await ask(bench, bench.owner, model)).toMatchObject({ model, configuration: "snapshot" });
    }));
});

describe("the snapshots of a conversation", () => {
  const people = Array.from({ length: 6 }, () => aPrincipal());

  it("are everybody's own, for the last few who spoke", () =>
    inRoom(async (bench) => {
      const house = withGateway(bench);
      const everybody = [bench.owner, ...people];
      for (const each of everybody) {
        await ask(bench, each, `gpt-of-${each.userId}`);
        await bench.forward(1_000);
      }
      house.is.databaseAway = true;
      house.anotherIsolate();
      bench.lose();
      const models = [];
      for (const each of everybody)
        models.push((await ask(bench, each, `gpt-of-${each.userId}`)).providerId !== "none");
      expect(models).toEqual([true, false, false, true, true, true, true]);
    }));

  it("are written again where the first time was undone", () =>
    inRoom(async (bench) => {
      withGateway(bench);
      const { configuration, journal } = bench.room;
      const read = await configuration.read(bench.owner.userId);
      const undone = (): void => {
        configuration.keep(read, []);
        throw new Error("undone");
      };
      expect(() => journal.transact(undone)).toThrow("undone");
      expect(journal.meta("snapshot:owner")).toBeNull();
      journal.transact(() => configuration.keep(read, []));
      expect(journal.meta("snapshot:owner")).toContain("Gateway");
    }));
});
