import { describe, expect, it } from "vitest";
import { priceOf } from "../../shared/domain/catalogue/price-of.ts";
import { MAX_RESTARTS } from "../../shared/domain/turn/recover.ts";
import { STEP_USAGE } from "../../shared/testing/providers/scripted-model.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { restoreTurn } from "./restore-turn.ts";

const QUESTION = "a question of some length, which the vendor has read";

async function asking(bench: RoomBench) {
  const sent = bench.say(QUESTION);
  await bench.settle();
  return sent;
}

/** Words that are shown and saved. */
async function saved(bench: RoomBench, kind: "text" | "thinking", words: string) {
  const answer = bench.models[0].asked.at(-1);
  answer?.push({ type: `${kind}-delta`, text: words });
  await bench.settle();
  await bench.forward(300);
  answer?.push({ type: `${kind}-delta`, text: "." });
  await bench.settle();
}

async function finish(bench: RoomBench) {
  bench.models[0].asked.at(-1)?.text("answer").finish();
  await bench.settle();
}

const stepPrice = (bench: RoomBench): number => {
  const [model] = bench.models[0].instance.models;
  return model ? priceOf(model, STEP_USAGE) : 0;
};

const costs = (bench: RoomBench): number[] =>
  bench.log.flatMap((event) => ("microUsd" in event && typeof event.microUsd === "number" ? [event.microUsd] : []));

/** What an object that comes back from its log alone would count. */
function rebuilt(bench: RoomBench) {
  const { journal, turns } = bench.room;
  const sums = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, microUsd: 0 };
  const addUsage: typeof journal.addUsage = (usage, microUsd) => {
    sums.inputTokens += usage.inputTokens;
    sums.outputTokens += usage.outputTokens;
    sums.cachedTokens += usage.cachedTokens;
    sums.microUsd += microUsd;
  };
  const end: typeof turns.end = () => {};
  for (const logged of journal.eventsAfter(0, 10_000)) {
    if (logged.event.type === "turn:started") continue;
    restoreTurn(
      {
        journal: Object.assign(Object.create(journal), { addUsage }),
        turns: Object.assign(Object.create(turns), { end }),
      },
      logged,
    );
  }
  return sums;
}

describe("a request that was lost with its object", () => {
  it.each(["thinking", null] as const)("is told and counted where the step runs again (%s)", (kind) =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      if (kind) await saved(bench, kind, "let me think about that for a while");
      await bench.crash();
      await finish(bench);
      const [cost = 0] = costs(bench);
      expect(cost).toBeGreaterThan(0);
      expect(bench.events("turn:rerouted")).toMatchObject([
        {
          from: { model: "first" },
          to: { model: "first" },
          why: expect.stringContaining("asked again"),
          microUsd: cost,
        },
      ]);
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBe(stepPrice(bench) + cost);
    }),
  );

  it("costs what it wrote, too", () =>
    inRoom(async (bench) => {
      await asking(bench);
      await bench.crash();
      const [waiting = 0] = costs(bench);
      await saved(bench, "thinking", "a long thought about it ".repeat(50));
      await bench.crash();
      expect(costs(bench)[1]).toBeGreaterThan(waiting);
    }));

  it("is told with the seam where its text stays, each for its own words alone", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await saved(bench, "text", "half an answer, and some more of it ".repeat(20));
      await bench.crash();
      await bench.forward(300);
      await saved(bench, "text", "so");
      await bench.crash();
      await finish(bench);
      const [first = 0, second = 0] = costs(bench);
      expect(bench.events("turn:continued")).toMatchObject([{ microUsd: first }, { microUsd: second }]);
      expect(bench.events("turn:rerouted")).toEqual([]);
      const [model] = bench.models[0].instance.models;
      const outputs = model?.prices?.outputMicroUsdPerMTok ?? 0;
      expect(outputs).toBeGreaterThan(0);
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBe(stepPrice(bench) + first + second);
    }));

  it("is not counted twice where the object goes again before it asked", () =>
    inRoom(async (bench) => {
      await asking(bench);
      const { configuration } = bench.services;
      bench.services.configuration = { ...configuration, read: () => new Promise(() => {}) };
      await bench.crash();
      bench.services.configuration = configuration;
      await bench.crash();
      expect(costs(bench)).toHaveLength(1);
      expect(bench.events("turn:rerouted")).toHaveLength(1);
    }));

  it("is nothing while tools ran", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.call("one", "look").finish("tool-calls");
      await bench.settle();
      await bench.crash();
      bench.toolRuns[1]?.end({ output: "seen", isError: false });
      await bench.settle();
      await finish(bench);
      expect(costs(bench)).toEqual([]);
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBe(2 * stepPrice(bench));
    }));

  it("is nothing while the next try waited for its time", () =>
    inRoom(async (bench) => {
      const { providers } = bench.services;
      bench.services.providers = { ...providers, instances: () => [bench.models[0].instance] };
      bench.room.services = bench.services;
      await asking(bench);
      bench.models[0].asked[0]?.fail("overloaded");
      await bench.settle();
      bench.lose();
      await bench.watch();
      expect(costs(bench)).toEqual([]);
      expect(bench.events("turn:rerouted")).toHaveLength(1);
    }));
});

describe("an answer that is stopped", () => {
  it("counts the request that was on its way, and the words of that one alone", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.call("one", "look").finish("tool-calls");
      await bench.settle();
      bench.toolRuns[0]?.end({ output: "seen", isError: false });
      await bench.settle();
      bench.models[0].asked[1]?.text("half an answer");
      await bench.settle();
      bench.room.queue.stop(undefined, "Stopped by Ada.");
      const { usage, microUsd } = bench.answerTo(sent.messageId)?.metadata ?? {};
      expect(usage?.inputTokens).toBeGreaterThan(STEP_USAGE.inputTokens);
      expect(usage?.outputTokens).toBeGreaterThan(STEP_USAGE.outputTokens);
      expect(usage?.outputTokens).toBeLessThan(STEP_USAGE.outputTokens + 10);
      expect(microUsd).toBeGreaterThan(stepPrice(bench));
      expect(bench.room.journal.usage()).toMatchObject({ microUsd });
    }));

  it("counts it also where the object had gone meanwhile", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      await saved(bench, "text", "half an answer");
      bench.lose();
      bench.room.queue.stop(sent.turnId ?? undefined, "Stopped by Ada.");
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBeGreaterThan(0);
    }));
});

describe("an answer that is cut because it is too long", () => {
  it("counts what it read and wrote", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.text("word ".repeat(100_001));
      await bench.settle();
      const { usage, finishReason } = bench.answerTo(sent.messageId)?.metadata ?? {};
      expect(finishReason).toBe("length");
      expect(usage?.inputTokens).toBeGreaterThan(5);
      expect(usage?.outputTokens).toBeGreaterThan(50_000);
    }));
});

describe("a turn that failed", () => {
  it("says what it cost all the same", () =>
    inRoom(async (bench) => {
      await asking(bench);
      bench.models[0].asked[0]?.fail("invalid_request", STEP_USAGE);
      await bench.settle();
      bench.models[1].asked[0]?.fail("invalid_request");
      await bench.settle();
      expect(bench.events("turn:failed")).toMatchObject([{ usage: STEP_USAGE, microUsd: stepPrice(bench) }]);
      expect(rebuilt(bench)).toEqual(bench.room.journal.usage());
    }));

  it("counts its last request too, and all totals come back from the log", () =>
    inRoom(async (bench) => {
      await asking(bench);
      for (let n = 0; n <= MAX_RESTARTS; n++) await bench.crash();
      const [ending] = bench.events("turn:failed");
      const told = costs(bench).slice(0, -1);
      expect(told).toHaveLength(MAX_RESTARTS);
      expect(ending?.microUsd).toBeGreaterThan(told.reduce((sum, cost) => sum + cost, 0));
      expect(rebuilt(bench)).toEqual(bench.room.journal.usage());
    }));

  it("says nothing of it where nobody was asked", () =>
    inRoom(async (bench) => {
      await asking(bench);
      bench.models[0].asked[0]?.fail("invalid_request");
      await bench.settle();
      bench.models[1].asked[0]?.fail("invalid_request");
      await bench.settle();
      const [ending] = bench.events("turn:failed");
      expect(Object.keys(ending ?? {}).toSorted()).toEqual(["canRetry", "error", "turnId", "type"]);
    }));
});
