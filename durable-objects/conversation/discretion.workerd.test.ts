import { describe, expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import { aPrincipal, testId } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { sendMessage } from "./messages.ts";

const BOB = aPrincipal({ name: "Bob" });
/** Bob asks; his own machine is tried and says where it stands, and who answers then is everybody's. */
async function bobAsks(bench: RoomBench, visibility: "private" | "workspace") {
  const [his, everybodys] = bench.models;
  bench.services.providers = {
    ...bench.services.providers,
    instances: () => [{ ...his.instance, displayName: "Bob's laptop", isPersonal: true }, everybodys.instance],
  };
  bench.lose();
  bench.room.journal.saveConversation({ ...bench.room.journal.born, visibility });
  unwrap(sendMessage(bench.room, BOB, testId(), { text: "question", whenBusy: "queue" }, "web"));
  await bench.settle();
  const failure = { kind: "unauthenticated" as const, message: "Bob's laptop refused at 10.1.2.3.", retryable: false };
  his.asked[0]?.push({ type: "failure", failure });
  await bench.settle();
  everybodys.asked[0]?.text("here").finish();
  await bench.settle();
  expect(bench.events("turn:completed")).toHaveLength(1);
  return JSON.stringify(bench.events("turn:rerouted"));
}

describe("what went wrong at somebody's own provider", () => {
  it("is told to others without its name and its words", () =>
    inRoom(async (bench) => {
      const told = await bobAsks(bench, "workspace");
      expect(told).not.toMatch(/laptop|10\.1\.2\.3/);
      expect(told).toContain("A provider of whoever asked refused its key");
    }));

  it("is told whole where nobody else reads it", () =>
    inRoom(async (bench) => {
      expect(await bobAsks(bench, "private")).toContain("Bob's laptop refused at 10.1.2.3.");
    }));
});
