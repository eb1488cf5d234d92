import { describe, expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { ProviderRecord } from "../../shared/domain/providers/provider-record.ts";
import type { TurnConfiguration } from "../../shared/domain/providers/turn-configuration.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import { aConfiguration, aPrincipal, aProviderRecord, testId } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { executeCommand } from "./commands.ts";
import { sendMessage } from "./messages.ts";

const OTHER = aPrincipal({ name: "Bob" });

/** A house in which everybody has a provider of their own: the owner the first model, the other one the second. */
function withProviders(bench: RoomBench) {
  const reads: string[] = [];
  const is = { databaseAway: false };
  const own = new Map<string, ProviderRecord>([
    [bench.owner.userId, aProviderRecord({ id: testId(), displayName: "Ada's" })],
    [OTHER.userId, aProviderRecord({ id: testId(), displayName: "Bob's" })],
  ]);
  const shared = aProviderRecord({ scope: "workspace", displayName: "Everybody's" });
  const [first, second] = bench.models;
  const modelOf = ({ displayName }: ProviderRecord): ProviderInstance =>
    displayName === "Ada's" ? first.instance : second.instance;
  bench.services.configuration = {
    read: async ({ userId }): Promise<TurnConfiguration> => {
      reads.push(userId);
      if (is.databaseAway) throw new Error("away");
      const mine = own.get(userId);
      return aConfiguration({ providers: mine ? [mine, shared] : [shared] });
    },
  };
  bench.services.providers = {
    ...bench.services.providers,
    instances: (configuration) =>
      (configuration?.providers ?? [])
        .filter(({ scope }) => scope === "user" || scope === "workspace")
        .map((record) => ({ ...modelOf(record), id: record.id, displayName: record.displayName })),
  };
  bench.lose();
  return { reads, is };
}

const askedAs = (bench: RoomBench, who: "owner" | "other") => {
  const principal = who === "owner" ? bench.owner : OTHER;
  return unwrap(sendMessage(bench.room, principal, testId(), { text: "question", whenBusy: "queue" }, "web"));
};

const chosen = (bench: RoomBench) => bench.events("turn:started").at(-1)?.receipt;

async function answered(bench: RoomBench): Promise<void> {
  await bench.settle();
  for (const { asked } of bench.models) asked.at(-1)?.text("here").finish();
  await bench.settle();
}

describe("whose providers answer", () => {
  it("are those of whoever asked, never the owner's for somebody else", () =>
    inRoom(async (bench) => {
      const { reads } = withProviders(bench);
      askedAs(bench, "owner");
      await answered(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([1, 0]);
      askedAs(bench, "other");
      await answered(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([1, 1]);
      expect(reads).toEqual([bench.owner.userId, OTHER.userId]);
    }));

  it("are the same without a database, each person's own from their last turn", () =>
    inRoom(async (bench) => {
      const { is } = withProviders(bench);
      for (const who of ["owner", "other"] as const) {
        askedAs(bench, who);
        await answered(bench);
      }
      is.databaseAway = true;
      bench.lose();
      askedAs(bench, "owner");
      await answered(bench);
      expect(chosen(bench)).toMatchObject({ configuration: "snapshot" });
      expect(bench.models[0].asked).toHaveLength(2);
      askedAs(bench, "other");
      await answered(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([2, 2]);
    }));

  it("are only the shared ones without a database for somebody who never asked before", () =>
    inRoom(async (bench) => {
      const { is } = withProviders(bench);
      askedAs(bench, "owner");
      await answered(bench);
      is.databaseAway = true;
      askedAs(bench, "other");
      await answered(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([1, 1]);
      expect(chosen(bench)?.rejected).toEqual([]);
    }));

  it("are read once for a turn, begun while its message is acknowledged", () =>
    inRoom(async (bench) => {
      const { reads } = withProviders(bench);
      askedAs(bench, "owner");
      await Promise.resolve();
      expect(reads).toHaveLength(1);
      await answered(bench);
      expect(reads).toHaveLength(1);
    }));

  it("are read anew for each turn: a change counts from the next message on", () =>
    inRoom(async (bench) => {
      const { reads } = withProviders(bench);
      askedAs(bench, "owner");
      await bench.settle();
      askedAs(bench, "owner");
      await bench.forward(5_000);
      expect(reads).toHaveLength(1);
      await answered(bench);
      expect(reads).toHaveLength(2);
    }));

  it("show their state in /models and /model", () =>
    inRoom(async (bench) => {
      withProviders(bench);
      bench.models[0].instance.health = "down";
      bench.models[0].instance.trouble = { since: "2026-11-21T12:00:00.000Z", error: "The key is wrong.", failures: 1 };
      const models = await executeCommand(bench.room, bench.owner, "/models");
      expect(models.text).toContain("Ada's is down since 2026-11-21T12:00:00.000Z: The key is wrong.");
      expect(models.text).toContain("anthropic/first");
      expect((await executeCommand(bench.room, OTHER, "/models")).text).not.toContain("anthropic/first");
      askedAs(bench, "other");
      await answered(bench);
      expect((await executeCommand(bench.room, OTHER, "/model")).text).toContain("healthy");
    }));

  it("leave no key of theirs in the object but sealed", () =>
    inRoom(async (bench) => {
      withProviders(bench);
      askedAs(bench, "owner");
      await answered(bench);
      const stored = bench.room.journal.meta("snapshot:owner");
      expect(stored).toContain("v1.test.a.b.c");
    }));
});
