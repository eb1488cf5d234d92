import { describe, expect, it } from "vitest";
import { TURN_BUDGET_MS } from "../../shared/domain/turn/progress.ts";
import { MAX_RESTARTS } from "../../shared/domain/turn/recover.ts";
import { STEP_USAGE } from "../../shared/testing/providers/scripted-model.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { onAlarm } from "./on-alarm.ts";

async function asking(bench: RoomBench) {
  const sent = bench.say("question");
  await bench.settle();
  return sent;
}

/** Text that is shown and saved. */
async function shown(bench: RoomBench, words: string, model: 0 | 1 = 0) {
  bench.models[model].asked.at(-1)?.text(words);
  await bench.settle();
  await bench.forward(300);
  bench.models[model].asked.at(-1)?.text(".");
  await bench.settle();
}

const texts = (bench: RoomBench, messageId: string) =>
  bench.answerTo(messageId)?.parts.map((part) => (part.type === "text" ? part.text : part.type));

describe("a turn whose object went away", () => {
  it("runs its step again where nothing was shown, without a seam", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await bench.crash();
      expect(bench.models[0].asked[1]?.prompt).toEqual(["user: question"]);
      bench.models[0].asked[1]?.text("answer").finish();
      await bench.settle();
      expect(bench.events("turn:continued")).toEqual([]);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("goes on behind a seam that says where it is", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await shown(bench, "half an ans");
      await bench.crash();
      expect(bench.events("turn:continued")).toMatchObject([
        { afterParts: 1, why: expect.stringContaining("restarted") },
      ]);
      expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain("Go on exactly");
      bench.models[0].asked[1]?.text("wer").finish();
      await bench.settle();
      expect(texts(bench, sent.messageId)).toEqual(["half an ans.", "wer"]);
    }));

  describe("while a tool ran", () => {
    const running = async (bench: RoomBench, tool: string) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.text("I look.").call("done", "look").call("cut", tool).finish("tool-calls");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: "kept", isError: false });
      await bench.settle();
      await bench.crash();
      return sent;
    };

    it("runs it again where that is safe, and never one that had its result", () =>
      inRoom(async (bench) => {
        const sent = await running(bench, "look");
        expect(bench.toolRuns).toHaveLength(3);
        bench.toolRuns[2]?.end({ output: "again", isError: false });
        await bench.settle();
        expect(bench.models[0].asked[1]?.prompt.at(-1)).toBe('user: result "kept" | result "again"');
        bench.models[0].asked[1]?.text("Done.").finish();
        await bench.settle();
        expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
        expect(bench.events("turn:continued")).toEqual([]);
      }));

    it("asks where it may do harm, with the reason; a no goes on with what the model can read", () =>
      inRoom(async (bench) => {
        const sent = await running(bench, "send");
        expect(bench.toolRuns).toHaveLength(2);
        expect(bench.events("tool:requested").at(-1)).toMatchObject({
          call: { callId: "cut" },
          needsApproval: true,
          why: expect.stringContaining("may have run already"),
        });
        expect(bench.room.queue.answerTool("cut", "deny", "Ada")).toBe(true);
        await bench.settle();
        expect(bench.toolRuns).toHaveLength(2);
        expect(bench.models[0].asked[1]?.prompt.at(-1)).toContain("Ada said no");
        bench.models[0].asked[1]?.text("Then not.").finish();
        await bench.settle();
        expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
      }));

    it("runs it again after a yes", () =>
      inRoom(async (bench) => {
        await running(bench, "send");
        bench.room.queue.answerTool("cut", "allow-once", "Ada");
        await bench.settle();
        expect(bench.toolRuns).toHaveLength(3);
      }));
  });

  it("ends, and says so, when its time is over, all executions together", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await shown(bench, "half");
      await bench.crash();
      await shown(bench, "more");
      bench.clock.set(bench.clock.now() + TURN_BUDGET_MS);
      await bench.crash();
      expect(bench.endings(sent.turnId)).toMatchObject([
        { type: "turn:interrupted", willContinue: false, why: expect.stringContaining("in time") },
      ]);
      expect(texts(bench, sent.messageId)).toEqual(["half.", "more."]);
    }));

  it("ends, and says so, after too many restarts", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      for (let n = 0; n <= MAX_RESTARTS; n++) await bench.crash();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:failed", canRetry: true }]);
      expect(bench.models[0].asked).toHaveLength(MAX_RESTARTS + 1);
    }));

  it("is tried again by a later alarm where picking it up fails, never at once and never in silence", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.lose();
      const { journal } = bench.room;
      const transact = journal.transact.bind(journal);
      let tries = 0;
      journal.transact = () => {
        tries++;
        throw new Error("the isolate was reset");
      };
      await bench.fireWatchdog();
      expect(tries).toBe(1);
      expect(bench.watchdogInMs).toBe(30_000);
      journal.transact = transact;
      await bench.fireWatchdog();
      bench.models[0].asked.at(-1)?.text("answer").finish();
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("is watched over again where the watchdog itself could not look", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.lose();
      const { turns } = bench.room;
      const openCount = turns.openCount.bind(turns);
      turns.openCount = () => {
        throw new Error("the storage does not answer");
      };
      await bench.forward(bench.watchdogInMs ?? 0);
      onAlarm(bench.room);
      await bench.forward(30_000);
      turns.openCount = openCount;
      await bench.forward(30_000);
      onAlarm(bench.room);
      await bench.settle();
      bench.models[0].asked.at(-1)?.text("answer").finish();
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));

  it("leaves no request and no timer behind where its beginning cannot be written", () =>
    inRoom(async (bench) => {
      const { timers } = bench.room.services;
      const minutes = new Set<object>();
      bench.room.services = {
        ...bench.room.services,
        timers: {
          ...timers,
          after: (ms, run) => {
            const timer = timers.after(ms, run);
            const counted = {
              cancel: () => {
                minutes.delete(counted);
                timer.cancel();
              },
            };
            if (ms > 50_000) minutes.add(counted);
            return counted;
          },
        },
      };
      const { journal } = bench.room;
      const setMeta = journal.setMeta.bind(journal);
      journal.setMeta = (key, value) => {
        if (key === "receipt" && bench.models[0].asked.length > 0) throw new Error("the disk is full");
        setMeta(key, value);
      };
      bench.say("question");
      await bench.settle();
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(true);
      expect(minutes.size).toBe(0);
    }));

  it("stays for the watchdog where even its end cannot be written", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      const { journal } = bench.room;
      const transact = journal.transact.bind(journal);
      let tries = 0;
      journal.transact = () => {
        tries++;
        throw new Error("the isolate was reset");
      };
      bench.models[0].asked[0]?.text("lost?").finish();
      await bench.settle();
      const triedFirst = tries;
      await bench.settle();
      expect(tries).toBe(triedFirst);
      expect(bench.endings(sent.turnId)).toEqual([]);
      journal.transact = transact;
      await bench.fireWatchdog();
      bench.models[0].asked.at(-1)?.text("answer").finish();
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));
});

it("a turn whose answer cannot be stored is told to have failed, and the next is answered", () =>
  inRoom(async (bench) => {
    const sent = await asking(bench);
    const { journal } = bench.room;
    const append = journal.append.bind(journal);
    journal.append = (...events) => {
      if (events.some((event) => "message" in event && event.message.role === "assistant"))
        throw new Error("string or blob too big");
      return append(...events);
    };
    bench.models[0].asked[0]?.text("too long").finish();
    await bench.settle();
    expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:failed" }]);
    journal.append = append;
    const next = await asking(bench);
    bench.models[0].asked[1]?.text("answer").finish();
    await bench.settle();
    expect(bench.endings(next.turnId)).toMatchObject([{ type: "turn:completed" }]);
  }));

describe("a stream that stands still", () => {
  it.each([0, 1])("after %i words is given up after a minute, and another model goes on", (words) =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      for (let n = 0; n < words; n++) await shown(bench, "word");
      await bench.forward(59_000);
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(false);
      await bench.forward(1_500);
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(true);
      const next = words === 0 ? bench.models[1] : bench.models[0];
      next.asked.at(-1)?.text("on").finish();
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
      expect(bench.events("turn:continued")).toHaveLength(words);
    }),
  );

  it("is not still while it gives signs of life", () =>
    inRoom(async (bench) => {
      await asking(bench);
      for (let n = 0; n < 5; n++) {
        await bench.forward(40_000);
        bench.models[0].asked[0]?.options.onActivity?.();
      }
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(false);
      expect(bench.models[1].asked).toEqual([]);
    }));

  it("never outlives the turn's time, however slowly it drips", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      for (let ms = 0; ms < TURN_BUDGET_MS + 60_000; ms += 30_000) {
        bench.models[0].asked[0]?.text("drip ");
        await bench.fireWatchdog();
      }
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(true);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:interrupted" }]);
    }));
});

describe("a stream that breaks", () => {
  it("after text is continued by the same model once, then by the next, every seam visible", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await shown(bench, "one");
      bench.models[0].asked[0]?.fail("stream_cut", STEP_USAGE);
      await bench.settle();
      expect(bench.models[0].asked[1]?.prompt.slice(0, 2)).toEqual(["user: question", "assistant: one."]);
      await shown(bench, "two");
      bench.models[0].asked[1]?.fail("overloaded");
      await bench.settle();
      expect(bench.models[1].asked[0]?.prompt.slice(0, 2)).toEqual(["user: question", "assistant: one. | two."]);
      bench.models[1].asked[0]?.text("three").finish();
      await bench.settle();
      expect(bench.events("turn:continued").map((event) => event.afterParts)).toEqual([1, 2]);
      expect(bench.events("turn:rerouted")).toMatchObject([
        { from: { provider: "anthropic" }, to: { provider: "openai", model: "second" } },
      ]);
      expect(texts(bench, sent.messageId)).toEqual(["one.", "two.", "three"]);
      expect(bench.answerTo(sent.messageId)?.metadata).toMatchObject({ provider: "openai", model: "second" });
    }));

  it("never shows one vendor's proofs of thinking to another", () =>
    inRoom(async (bench) => {
      await asking(bench);
      bench.models[0].asked[0]
        ?.push({ type: "thinking-delta", text: "hm" }, { type: "thinking-end", signature: "proof" })
        .text("one");
      await bench.settle();
      bench.models[0].asked[0]?.fail("rate_limited");
      await bench.settle();
      expect(bench.models[1].asked).toHaveLength(1);
      expect(JSON.stringify(bench.models[1].asked[0]?.request)).not.toContain("proof");
    }));

  it("in a later step keeps what the earlier ones did: no tool runs twice", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.call("c", "send").finish("tool-calls");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: "sent", isError: false });
      await bench.settle();
      bench.models[0].asked[1]
        ?.push({ type: "tool-input-delta", callId: "d", name: "send", text: "{" })
        .fail("stream_cut");
      await bench.settle();
      expect(bench.models[1].asked[0]?.prompt).toEqual([
        "user: question",
        "assistant: call send",
        'user: result "sent"',
      ]);
      bench.models[1].asked[0]?.text("Sent.").finish();
      await bench.settle();
      expect(bench.toolRuns).toHaveLength(1);
      expect(texts(bench, sent.messageId)).toEqual(["tool-call", "tool-result", "Sent."]);
      expect(bench.events("turn:continued")).toEqual([]);
    }));

  it("for good ends with the text kept and the reason told", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await shown(bench, "one");
      for (const model of [0, 0, 1, 1, 1, 1, 1, 1] as const) {
        bench.models[model].asked.at(-1)?.fail("server_error");
        await bench.settle();
        await bench.forward(30_000);
      }
      expect(bench.endings(sent.turnId)).toMatchObject([
        {
          type: "turn:interrupted",
          willContinue: false,
          why: "It failed: server_error. Try again, or choose another model.",
        },
      ]);
      expect(texts(bench, sent.messageId)).toEqual(["one."]);
      expect(bench.room.turns.openCount()).toBe(0);
    }));

  it("of a turn that was stopped is closed, though its provider does not listen", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await shown(bench, "one");
      bench.room.queue.stop(undefined, "Stopped by Ada.");
      const after = bench.room.journal.lastSeq;
      expect(bench.models[0].asked[0]?.options.signal.aborted).toBe(true);
      bench.models[0].asked[0]?.text("late").finish();
      await bench.settle();
      expect(bench.room.journal.lastSeq).toBe(after);
      expect(bench.endings(sent.turnId)).toHaveLength(1);
    }));
});
