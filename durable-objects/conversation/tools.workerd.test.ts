import { describe, expect, it } from "vitest";
import { MAX_STEPS } from "../../shared/domain/turn/next-step.ts";
import { APPROVAL_MS, TURN_BUDGET_MS } from "../../shared/domain/turn/progress.ts";
import { STEP_USAGE } from "../../shared/testing/providers/scripted-model.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";

/** A turn whose model has asked for one tool. */
async function calling(bench: RoomBench, tool: string, input: unknown = {}) {
  const sent = bench.say("do it");
  await bench.settle();
  bench.models[0].asked[0]?.text("I look. ").call("c1", tool, input).finish("tool-calls");
  await bench.settle();
  return sent;
}

/** Lets the model say its last words. */
async function conclude(bench: RoomBench, words = "Done.") {
  bench.models[0].asked.at(-1)?.text(words).finish();
  await bench.settle();
}

describe("a tool that a model asks for", () => {
  it("is in the log before it runs, and its result before the model reads it; all in one message", () =>
    inRoom(async (bench) => {
      const sent = await calling(bench, "look", { at: "this" });
      expect(bench.toolRuns).toMatchObject([{ name: "look", input: { at: "this" } }]);
      expect(bench.events("tool:requested")).toMatchObject([{ call: { callId: "c1" }, needsApproval: false }]);
      expect(bench.events("tool:completed")).toEqual([]);
      expect(bench.room.turns.running()?.parts).toHaveLength(2);
      bench.toolRuns[0]?.end({ output: { seen: 7 }, isError: false });
      await bench.settle();
      expect(bench.events("tool:completed")).toMatchObject([{ callId: "c1", outcome: { output: { seen: 7 } } }]);
      expect(bench.models[0].asked[1]?.prompt).toEqual([
        "user: do it",
        "assistant: I look.  | call look",
        'user: result {"seen":7}',
      ]);
      await conclude(bench);
      const answer = bench.answerTo(sent.messageId);
      expect(answer?.parts).toMatchObject([
        { type: "text" },
        { type: "tool-call", step: 0 },
        { type: "tool-result", step: 0, output: { seen: 7 } },
        { type: "text", text: "Done." },
      ]);
      expect(answer?.metadata.usage).toEqual({ ...STEP_USAGE, inputTokens: 20, outputTokens: 10 });
      expect(bench.room.journal.usage().inputTokens).toBe(20);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("asks for approval whatever name the model gives the call", () =>
    inRoom(async (bench) => {
      const sent = bench.say("do it");
      await bench.settle();
      bench.models[0].asked[0]?.call("constructor", "pay").finish("tool-calls");
      await bench.settle();
      expect(bench.toolRuns).toEqual([]);
      expect(bench.events("tool:requested")).toMatchObject([{ call: { name: "pay" }, needsApproval: true }]);
      expect(bench.room.queue.stop(sent.turnId ?? undefined, "Enough.")).toBe(true);
    }));

  it("is offered only to a model that can use tools", () =>
    inRoom(async (bench) => {
      for (const model of bench.models[0].instance.models) model.capabilities.tools = false;
      bench.say("hello");
      await bench.settle();
      expect(bench.models[0].asked[0]?.request).not.toHaveProperty("tools");
      bench.models[0].asked[0]?.fail("unreachable");
      await bench.settle();
      expect(bench.models[1].asked[0]?.request.tools).toHaveLength(3);
    }));

  it.each([
    ["throws", (bench: RoomBench) => bench.toolRuns[0]?.fail(new Error("secret detail")), "failed"],
    ["hangs for a minute", (bench: RoomBench) => bench.clock.forward(60_000), "in time"],
    [
      "says too much",
      (bench: RoomBench) => bench.toolRuns[0]?.end({ output: "x".repeat(300_000), isError: false }),
      "too large",
    ],
  ])("and %s is an error that the model reads", (_what, act, told) =>
    inRoom(async (bench) => {
      const sent = await calling(bench, "look");
      act(bench);
      await bench.settle();
      expect(bench.events("tool:completed")).toMatchObject([{ outcome: { isError: true } }]);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain(told);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).not.toContain("secret");
      await conclude(bench);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }),
  );

  it("and does not exist is an error that the model reads", () =>
    inRoom(async (bench) => {
      await calling(bench, "fly");
      expect(bench.toolRuns).toEqual([]);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain('no tool \\"fly\\"');
    }));

  it("runs beside the others of its step, and the model goes on when all are done", () =>
    inRoom(async (bench) => {
      bench.say("both");
      await bench.settle();
      bench.models[0].asked[0]?.call("a", "look").call("a", "send").finish("tool-calls");
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(2);
      bench.toolRuns[1]?.end({ output: 2, isError: false });
      await bench.settle();
      expect(bench.models[0].asked).toHaveLength(1);
      bench.toolRuns[0]?.end({ output: 1, isError: false });
      await bench.settle();
      expect(bench.models[0].asked[1]?.prompt.slice(1)).toEqual([
        "assistant: call look | call send",
        "user: result 2 | result 1",
      ]);
    }));

  it("and is asked for without end ends the turn after 32 steps, with the reason", () =>
    inRoom(async (bench) => {
      const sent = bench.say("for ever");
      await bench.settle();
      for (let step = 0; step < MAX_STEPS; step++) {
        bench.models[0].asked[step]?.call("c", "fly").finish("tool-calls");
        await bench.settle();
      }
      expect(bench.models[0].asked).toHaveLength(MAX_STEPS);
      expect(bench.endings(sent.turnId)).toMatchObject([
        { type: "turn:interrupted", why: expect.stringContaining("32 times") },
      ]);
    }));

  it("ends with the turn when that is stopped; what it brings later is stale", () =>
    inRoom(async (bench) => {
      const sent = await calling(bench, "look");
      bench.room.queue.stop(sent.turnId ?? undefined, "Stopped by Ada.");
      expect(bench.toolRuns[0]?.signal.aborted).toBe(true);
      const after = bench.room.journal.lastSeq;
      bench.toolRuns[0]?.end({ output: "late", isError: false });
      await bench.settle();
      expect(bench.room.journal.lastSeq).toBe(after);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:interrupted", willContinue: false }]);
      expect(bench.events("tool:completed")).toMatchObject([{ callId: "c1", outcome: { isError: true } }]);
      expect(bench.answerTo(sent.messageId)?.parts.map((part) => part.type)).toEqual([
        "text",
        "tool-call",
        "tool-result",
      ]);
    }));
});

describe("a tool that needs a person's yes", () => {
  const asked = async (bench: RoomBench) => {
    const sent = await calling(bench, "pay");
    expect(bench.events("tool:requested")).toMatchObject([{ needsApproval: true }]);
    expect(bench.toolRuns).toEqual([]);
    return sent;
  };

  it("runs after it was allowed, once; the first answer counts, from any device", () =>
    inRoom(async (bench) => {
      await asked(bench);
      expect(bench.room.queue.answerTool("no such call", "allow-once", "Ada")).toBe(false);
      expect(bench.room.queue.answerTool("c1", "allow-once", "Ada")).toBe(true);
      expect(bench.room.queue.answerTool("c1", "deny", "Bob")).toBe(false);
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(1);
      expect(bench.events("tool:requested").map((event) => event.needsApproval)).toEqual([true, false]);
      bench.toolRuns[0]?.end({ output: "paid", isError: false });
      await bench.settle();
      bench.models[0].asked[1]?.call("c2", "pay").finish("tool-calls");
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(1);
      expect(bench.events("tool:requested").at(-1)).toMatchObject({ call: { callId: "c2" }, needsApproval: true });
    }));

  it("is not asked for again in this conversation when it was allowed for always", () =>
    inRoom(async (bench) => {
      await asked(bench);
      bench.room.queue.answerTool("c1", "allow-always", "Ada");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: "paid", isError: false });
      await bench.settle();
      bench.models[0].asked[1]?.call("c2", "pay").finish("tool-calls");
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(2);
    }));

  it("does not run when it was denied, and the model is told", () =>
    inRoom(async (bench) => {
      const sent = await asked(bench);
      bench.room.queue.answerTool("c1", "deny", "Ada");
      await bench.settle();
      expect(bench.toolRuns).toEqual([]);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain("Ada said no");
      await conclude(bench);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("waits without keeping the object awake, across restarts, and the wait does not count", () =>
    inRoom(async (bench) => {
      const sent = await asked(bench);
      await bench.fireWatchdog();
      expect(bench.watchdogInMs).toBeGreaterThan(APPROVAL_MS - 60_000);
      await bench.forward(TURN_BUDGET_MS * 2);
      await bench.crash();
      await bench.crash();
      expect(bench.watchdogInMs).toBeGreaterThan(TURN_BUDGET_MS);
      expect(bench.events("turn:continued")).toEqual([]);
      expect(bench.events("tool:requested")).toHaveLength(1);
      bench.room.queue.answerTool("c1", "allow-once", "Ada");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: "paid", isError: false });
      await bench.settle();
      await conclude(bench);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("can be allowed before the alarm has woken its turn", () =>
    inRoom(async (bench) => {
      await asked(bench);
      bench.lose();
      expect(bench.room.queue.answerTool("c1", "allow-once", "Ada")).toBe(true);
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(1);
    }));

  it("is denied after a day, and the turn goes on", () =>
    inRoom(async (bench) => {
      await asked(bench);
      await bench.fireWatchdog();
      await bench.fireWatchdog();
      expect(bench.events("tool:completed")).toMatchObject([{ outcome: { isError: true } }]);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain("within a day");
    }));

  it("does not hold up the others of its step", () =>
    inRoom(async (bench) => {
      bench.say("both");
      await bench.settle();
      bench.models[0].asked[0]?.call("a", "pay").call("b", "look").finish("tool-calls");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: 1, isError: false });
      await bench.settle();
      expect(bench.events("tool:completed")).toMatchObject([{ callId: "b" }]);
      expect(bench.room.queue.running?.isParked).toBe(true);
      bench.room.queue.answerTool("a", "deny", "Ada");
      await bench.settle();
      expect(bench.models[0].asked).toHaveLength(2);
    }));

  it("can be stopped while it waits, and the next message is answered", () =>
    inRoom(async (bench) => {
      const sent = await asked(bench);
      const next = bench.say("next");
      bench.room.queue.stop(undefined, "Stopped by Ada.");
      await bench.settle();
      expect(bench.endings(sent.turnId)).toHaveLength(1);
      await conclude(bench);
      expect(bench.endings(next.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));
});
