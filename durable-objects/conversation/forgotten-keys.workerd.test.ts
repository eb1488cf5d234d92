import { describe, expect, it } from "vitest";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { ProviderRecord } from "../../shared/domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../../shared/domain/providers/turn-configuration.ts";
import { aConfiguration, aPrincipal, aProviderRecord, testId } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { executeCommand } from "./commands.ts";
import { revoke } from "./lifecycle.ts";
import { sendMessage } from "./messages.ts";

const BOB = aPrincipal({ name: "Bob" });

/** Everybody has a provider of their own, and the workspace has one; what Postgres holds may change. */
function withKeys(bench: RoomBench) {
  const credential = (name: string) => ({
    id: testId(),
    sealed: `v1.sealed.${name}`,
    method: "api-key" as const,
    expiresAtMs: null,
    version: 1,
  });
  const made = (name: string, more: Partial<ProviderRecord>) =>
    aProviderRecord({ id: testId(), displayName: name, credential: credential(name), ...more });
  const house = {
    own: new Map([bench.owner, BOB].map(({ userId }) => [userId, made(userId, { ownerUserId: userId })])),
    shared: [made("team", { scope: "workspace" })],
    delayMs: 0,
  };
  bench.services.configuration = {
    read: async ({ userId }): Promise<TurnConfiguration> => {
      if (house.delayMs > 0) await bench.services.timers.wait(house.delayMs);
      const own = house.own.get(userId);
      return aConfiguration({ providers: [...(own ? [own] : []), ...house.shared] });
    },
  };
  bench.lose();
  return house;
}

async function ask(bench: RoomBench, who: Principal): Promise<void> {
  unwrap(sendMessage(bench.room, who, testId(), { text: "question", whenBusy: "queue" }, "web"));
  await bench.settle();
  await bench.forward(300);
  bench.models[0].asked.at(-1)?.text("here").finish();
  await bench.settle();
}

/** Whose sealed keys the object holds. */
function held(bench: RoomBench): string[] {
  const rows = bench.room.storage.sql.exec<{ value: string }>("select value from meta").toArray();
  const all = rows.map(({ value }) => value).join(" ");
  const names = { ada: bench.owner.userId, bob: BOB.userId, team: "team" };
  return Object.entries(names).flatMap(([who, name]) => (all.includes(`v1.sealed.${name}`) ? [who] : []));
}

describe("a key that Postgres does not have any more", () => {
  it("is forgotten by everybody's snapshot when anybody reads that the workspace's is gone", () =>
    inRoom(async (bench) => {
      const house = withKeys(bench);
      await ask(bench, bench.owner);
      await ask(bench, BOB);
      expect(held(bench)).toEqual(["ada", "bob", "team"]);
      house.shared = [];
      await executeCommand(bench.room, BOB, "/models");
      expect(held(bench)).toEqual(["ada", "bob"]);
    }));

  it("is forgotten of one person when they read, and of nobody else", () =>
    inRoom(async (bench) => {
      const house = withKeys(bench);
      await ask(bench, bench.owner);
      await ask(bench, BOB);
      house.own.clear();
      await executeCommand(bench.room, BOB, "/models");
      expect(held(bench)).toEqual(["ada", "team"]);
    }));

  it("is forgotten although the answer came too late for the turn that asked", () =>
    inRoom(async (bench) => {
      const house = withKeys(bench);
      await ask(bench, bench.owner);
      house.own.clear();
      house.delayMs = 400;
      await ask(bench, bench.owner);
      expect(bench.events("turn:started").at(-1)?.receipt.configuration).toBe("snapshot");
      await bench.forward(200);
      expect(held(bench)).toEqual(["team"]);
    }));

  it("gives way to the one in its place", () =>
    inRoom(async (bench) => {
      const house = withKeys(bench);
      await ask(bench, bench.owner);
      await ask(bench, BOB);
      house.shared = house.shared.map((record) => ({
        ...record,
        version: 2,
        credential: record.credential && { ...record.credential, sealed: "v1.sealed.new", version: 2 },
      }));
      await executeCommand(bench.room, BOB, "/models");
      expect(held(bench)).toEqual(["ada", "bob"]);
      const snapshot = bench.room.journal.meta("snapshot:owner");
      expect(snapshot).toContain("v1.sealed.new");
    }));

  it("goes with whoever leaves the workspace", () =>
    inRoom(async (bench) => {
      withKeys(bench);
      await ask(bench, bench.owner);
      await ask(bench, BOB);
      revoke(bench.room, { userId: BOB.userId, workspaceId: bench.room.journal.born.workspaceId });
      expect(held(bench)).toEqual(["ada", "team"]);
    }));
});
