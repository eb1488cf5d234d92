import { describe, expect, it } from "vitest";
import { MAX_WAITING_TURNS } from "../../shared/domain/conversation/decide.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { deleteMessage } from "./messages.ts";

/** A turn whose model is in the middle of its text. */
async function writing(bench: RoomBench) {
  const sent = bench.say("tell me all");
  await bench.settle();
  bench.models[0].asked[0]?.text("It is long. ");
  await bench.settle();
  return sent;
}

const first = (bench: RoomBench) => bench.models[0].asked;

/** Nobody takes the request: the turn has failed. */
async function refused(bench: RoomBench): Promise<void> {
  for (const { asked } of bench.models) {
    asked.at(-1)?.fail("invalid_request");
    await bench.settle();
  }
}

describe("a message that steers", () => {
  it("is durable at once and reaches the model in one more step of the same turn", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      expect(steering).toMatchObject({ state: "steered", turnId: sent.turnId, duplicate: false });
      expect(bench.events("message:added")).toHaveLength(2);
      await bench.settle();
      expect(first(bench)).toHaveLength(1);
      first(bench)[0]?.finish();
      await bench.settle();
      expect(first(bench)[1]?.prompt).toEqual(["user: tell me all", "assistant: It is long. ", "user: shorter!"]);
      first(bench)[1]?.text("Short.").finish();
      await bench.settle();
      const answer = bench.answerTo(sent.messageId);
      expect(answer?.parts).toMatchObject([{ text: "It is long. " }, { text: "Short." }]);
      expect(answer?.metadata).toMatchObject({ steeredBy: [steering.messageId], steeredAt: [1] });
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
      expect(bench.events("turn:started")).toHaveLength(1);
      expect(bench.room.turns.openCount()).toBe(0);
    }));

  it("comes after the tool results of the step", () =>
    inRoom(async (bench) => {
      bench.say("look it up");
      await bench.settle();
      first(bench)[0]?.call("c", "look").finish("tool-calls");
      await bench.settle();
      bench.say("only the newest", "steer");
      bench.toolRuns[0]?.end({ output: "found", isError: false });
      await bench.settle();
      expect(first(bench)[1]?.prompt).toEqual([
        "user: look it up",
        "assistant: call look",
        'user: result "found" | only the newest',
      ]);
    }));

  it("starts a turn where nothing runs", () =>
    inRoom(async (bench) => {
      const sent = bench.say("hello", "steer");
      expect(sent.state).toBe("started");
      await bench.settle();
      expect(first(bench)[0]?.prompt).toEqual(["user: hello"]);
    }));

  it("is answered as the first time when it is sent again", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      const again = bench.say("shorter!", "steer", steering.messageId);
      expect(again).toEqual({ ...steering, duplicate: true });
      first(bench)[0]?.finish();
      await bench.settle();
      first(bench)[1]?.text("Short.").finish();
      await bench.settle();
      expect(bench.say("shorter!", "steer", steering.messageId)).toMatchObject({
        turnId: sent.turnId,
        duplicate: true,
      });
      await bench.settle();
      expect(first(bench)).toHaveLength(2);
    }));

  it("stands in the prompts of later turns where it reached the model, and several keep their order", () =>
    inRoom(async (bench) => {
      await writing(bench);
      bench.say("one", "steer");
      bench.say("two", "steer");
      first(bench)[0]?.finish();
      await bench.settle();
      first(bench)[1]?.text("Yes.").finish();
      await bench.settle();
      bench.say("and now?");
      await bench.settle();
      expect(first(bench)[2]?.prompt).toEqual([
        "user: tell me all",
        "assistant: It is long. ",
        "user: one | two",
        "assistant: Yes.",
        "user: and now?",
      ]);
    }));

  it.each([
    ["is stopped", async (bench: RoomBench) => void bench.room.queue.stop(undefined, "Stopped by Ada.")],
    ["fails", refused],
    [
      "is abandoned for its question was deleted",
      async (bench: RoomBench) => {
        const question = bench.events("message:added")[0]?.message.id ?? "";
        deleteMessage(bench.room, question);
      },
    ],
  ])("gets a turn of its own when the running one %s before", (_what, end) =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      await end(bench);
      await bench.settle();
      expect(bench.endings(sent.turnId)).toHaveLength(1);
      expect(first(bench).at(-1)?.prompt.at(-1)).toContain("shorter!");
      first(bench).at(-1)?.text("Short.").finish();
      await bench.settle();
      expect(bench.answerTo(steering.messageId)?.metadata.finishReason).toBe("stop");
      expect(bench.events("turn:started")).toHaveLength(2);
    }),
  );

  it("gets a turn of its own when the model that it reached said nothing to it", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      first(bench)[0]?.finish();
      await bench.settle();
      await refused(bench);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:interrupted" }]);
      expect(bench.answerTo(sent.messageId)?.metadata).not.toHaveProperty("steeredBy");
      first(bench)[2]?.text("Short.").finish();
      await bench.settle();
      expect(bench.answerTo(steering.messageId)?.parts).toMatchObject([{ text: "Short." }]);
    }));

  it("gets one too when the model had only thought about it", () =>
    inRoom(async (bench) => {
      await writing(bench);
      const steering = bench.say("shorter!", "steer");
      first(bench)[0]?.finish();
      await bench.settle();
      first(bench)[1]?.push(
        { type: "thinking-delta", text: "hm" },
        { type: "tool-input-delta", callId: "c", name: "look", text: "{" },
      );
      await bench.settle();
      bench.room.queue.stop(undefined, "Stopped by Ada.");
      await bench.settle();
      first(bench)[2]?.text("Short.").finish();
      await bench.settle();
      expect(bench.answerTo(steering.messageId)?.parts).toMatchObject([{ text: "Short." }]);
    }));

  it("is not lost when the object goes away before or after it reached the model", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      bench.say("shorter!", "steer");
      await bench.settle();
      bench.room.turns.checkpoint(sent.turnId ?? "", bench.room.queue.running?.answer.parts ?? []);
      await bench.crash();
      first(bench)[1]?.text("Still long.").finish();
      await bench.settle();
      expect(first(bench)[2]?.prompt.at(-1)).toBe("user: shorter!");
      await bench.crash();
      expect(first(bench)[3]?.prompt.at(-1)).toBe("user: shorter!");
      first(bench)[3]?.text("Short.").finish();
      await bench.settle();
      expect(bench.answerTo(sent.messageId)?.metadata.steeredBy).toHaveLength(1);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
      expect(bench.events("turn:started")).toHaveLength(1);
    }));

  it("and is deleted before it reached the model never does, and has its ending", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      deleteMessage(bench.room, steering.messageId);
      first(bench)[0]?.finish();
      await bench.settle();
      expect(first(bench)).toHaveLength(1);
      expect(bench.events("turn:interrupted")).toMatchObject([
        { message: { metadata: { replyTo: steering.messageId } } },
      ]);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
      expect(bench.room.turns.openCount()).toBe(0);
    }));

  it("counts among those that wait, so that they stay bounded", () =>
    inRoom(async (bench) => {
      await writing(bench);
      for (let n = 0; n < MAX_WAITING_TURNS; n++) bench.say(`more ${n}`, "steer");
      expect(() => bench.say("one too many", "steer")).toThrow(/Too many/);
    }));

  it("is not answered when it was deleted after it reached the model", () =>
    inRoom(async (bench) => {
      const sent = await writing(bench);
      const steering = bench.say("shorter!", "steer");
      first(bench)[0]?.finish();
      await bench.settle();
      expect(first(bench)).toHaveLength(2);
      deleteMessage(bench.room, steering.messageId);
      bench.room.queue.stop(sent.turnId ?? undefined, "Stopped.");
      await bench.settle();
      expect(first(bench)).toHaveLength(2);
      expect(bench.events("turn:started")).toHaveLength(1);
      expect(bench.room.turns.openCount()).toBe(0);
    }));
});
