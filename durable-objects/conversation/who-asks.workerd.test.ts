import { describe, expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import { copyPath } from "../../shared/domain/conversation/copy-path.ts";
import type { TurnConfiguration } from "../../shared/domain/providers/turn-configuration.ts";
import { aConfiguration, aPrincipal, aProviderRecord, testId } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { executeCommand } from "./commands.ts";
import { pathThrough } from "./fork.ts";
import { editMessage, sendMessage } from "./messages.ts";

const BOB = aPrincipal({ name: "Bob" });

/** A house in which everybody's own provider has its model: Ada, who owns the conversation, the first, Bob the second. */
function withOwnProviders(bench: RoomBench) {
  const reads: string[] = [];
  const is = { away: false };
  const [adas, bobs] = bench.models;
  const own = { Ada: testId(), Bob: testId() };
  const shared = aProviderRecord({ scope: "workspace", displayName: "Everybody's" });
  bench.services.configuration = {
    read: async ({ userId }): Promise<TurnConfiguration> => {
      if (is.away) throw new Error("away");
      const name = userId === BOB.userId ? "Bob" : "Ada";
      reads.push(name);
      return aConfiguration({ providers: [aProviderRecord({ id: own[name], displayName: name }), shared] });
    },
  };
  bench.services.providers = {
    ...bench.services.providers,
    instances: (configuration) =>
      (configuration?.providers ?? []).flatMap(({ id, displayName, scope }) =>
        scope === "user" ? [{ ...(displayName === "Bob" ? bobs : adas).instance, id, displayName }] : [],
      ),
  };
  bench.lose();
  return { reads, is };
}

const saysAs = (bench: RoomBench, who: "Ada" | "Bob", text: string, whenBusy: "queue" | "steer" = "queue") =>
  unwrap(sendMessage(bench.room, who === "Ada" ? bench.owner : BOB, testId(), { text, whenBusy }, "web"));

const asked = (bench: RoomBench) => bench.models.map((each) => each.asked.length);

async function answered(bench: RoomBench): Promise<void> {
  await bench.settle();
  for (const model of bench.models) model.asked.at(-1)?.text("here").finish();
  await bench.settle();
}

describe("who asks", () => {
  it("is whoever says /retry, not whoever wrote the message", () =>
    inRoom(async (bench) => {
      const { reads } = withOwnProviders(bench);
      saysAs(bench, "Ada", "question");
      await answered(bench);
      expect(await executeCommand(bench.room, BOB, "/retry")).toMatchObject({ ok: true });
      await answered(bench);
      expect(asked(bench)).toEqual([1, 1]);
      expect(reads).toEqual(["Ada", "Bob"]);
    }));

  it("stays so when the turn is taken up after a crash, with Postgres and without", () =>
    inRoom(async (bench) => {
      const { is } = withOwnProviders(bench);
      saysAs(bench, "Ada", "question");
      await answered(bench);
      await executeCommand(bench.room, BOB, "/retry");
      await bench.settle();
      await bench.crash();
      expect(asked(bench)).toEqual([1, 2]);
      is.away = true;
      await bench.crash();
      expect(asked(bench)).toEqual([1, 3]);
    }));

  it("is whoever edits a message", () =>
    inRoom(async (bench) => {
      withOwnProviders(bench);
      const { messageId } = saysAs(bench, "Ada", "question");
      await answered(bench);
      unwrap(editMessage(bench.room, BOB, messageId, { text: "another question" }));
      await answered(bench);
      expect(asked(bench)).toEqual([1, 1]);
    }));

  it("steers no turn of somebody else's: the message waits for one of its own", () =>
    inRoom(async (bench) => {
      const { reads } = withOwnProviders(bench);
      const hers = saysAs(bench, "Ada", "question");
      await bench.settle();
      const his = saysAs(bench, "Bob", "BOB'S WISH", "steer");
      expect(his.state).toBe("queued");
      expect(his.turnId).not.toBe(hers.turnId);
      expect(saysAs(bench, "Ada", "shorter", "steer")).toMatchObject({ state: "steered", turnId: hers.turnId });
      bench.models[0].asked[0]?.text("long").finish();
      await answered(bench);
      await answered(bench);
      expect(asked(bench)).toEqual([2, 1]);
      expect(JSON.stringify(bench.models[0].asked.map(({ prompt }) => prompt))).not.toContain("BOB'S WISH");
      expect(bench.models[1].asked[0]?.prompt.at(-1)).toContain("BOB'S WISH");
      expect(reads).toEqual(["Ada", "Bob"]);
    }));

  it("steers the turn that they asked for, whoever wrote what it answers", () =>
    inRoom(async (bench) => {
      withOwnProviders(bench);
      saysAs(bench, "Ada", "question");
      await answered(bench);
      await executeCommand(bench.room, BOB, "/retry");
      await bench.settle();
      expect(saysAs(bench, "Ada", "hers", "steer").state).toBe("queued");
      expect(saysAs(bench, "Bob", "his", "steer").state).toBe("steered");
      await answered(bench);
      await answered(bench);
      await answered(bench);
      expect(asked(bench)).toEqual([2, 2]);
    }));

  it("is nobody for a message without an author, for whom no personal provider answers, the owner's neither", () =>
    inRoom(async (bench) => {
      const { is } = withOwnProviders(bench);
      const { messageId } = saysAs(bench, "Ada", "question");
      await answered(bench);
      const turn = { messageId: testId(), replyTo: messageId, model: null, askedBy: null };
      bench.room.turns.add({ id: testId(), ...turn }, "queued", bench.room.journal.lastSeq);
      bench.room.queue.kick();
      await answered(bench);
      is.away = true;
      bench.room.turns.add({ id: testId(), ...turn, messageId: testId() }, "queued", bench.room.journal.lastSeq);
      bench.room.queue.kick();
      await answered(bench);
      expect(bench.events("turn:failed")).toHaveLength(2);
      expect(asked(bench)).toEqual([1, 0]);
    }));

  it("is in no copy of what others wrote", () =>
    inRoom(async (bench) => {
      withOwnProviders(bench);
      saysAs(bench, "Ada", "hers");
      await answered(bench);
      saysAs(bench, "Bob", "his");
      await answered(bench);
      const path = pathThrough(bench.room, bench.room.journal.born.headId ?? "") ?? [];
      const { messages } = copyPath(path, { conversationId: bench.room.id, userId: BOB.userId }, testId);
      const authors = messages.filter(({ role }) => role === "user").map(({ metadata }) => metadata.authorUserId);
      expect(authors).toEqual([undefined, BOB.userId]);
    }));
});
