import { describe, expect, it } from "vitest";
import { priceOf } from "../../shared/domain/catalogue/price-of.ts";
import { GUIDE_NOTE } from "../../shared/domain/turn/after-failure.ts";
import { STEP_USAGE } from "../../shared/testing/providers/scripted-model.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";

const REASONABLE_MS = 60_000;

async function asking(bench: RoomBench, text = "question") {
  const sent = bench.say(text);
  await bench.settle();
  return sent;
}

/** Only the first model is left. */
const alone = (bench: RoomBench): void => {
  const { providers } = bench.services;
  const [first] = bench.models;
  bench.room.services = { ...bench.services, providers: { ...providers, instances: () => [first.instance] } };
};

const costs = (bench: RoomBench): number[] =>
  bench.log.flatMap((event) => ("microUsd" in event && typeof event.microUsd === "number" ? [event.microUsd] : []));

describe("a provider that fails before it says anything", () => {
  it.each([
    "unauthenticated",
    "not_found",
    "invalid_request",
    "rate_limited",
    "server_error",
    "unreachable",
    "timeout",
  ] as const)("with %s is passed over at once, and everybody sees who answers and why", (kind) =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      const before = bench.clock.now();
      bench.models[0].asked[0]?.fail(kind);
      await bench.settle();
      expect(bench.models[1].asked).toHaveLength(1);
      expect(bench.clock.now()).toBe(before);
      bench.models[1].asked[0]?.text("here").finish();
      await bench.settle();
      expect(bench.events("turn:rerouted")).toMatchObject([
        { from: { model: "first" }, to: { model: "second" }, why: `It failed: ${kind}.` },
      ]);
      expect(bench.answerTo(sent.messageId)?.metadata).toMatchObject({ provider: "openai", model: "second" });
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }),
  );

  it("is named beside whoever takes over where both are of one kind", () =>
    inRoom(async (bench) => {
      const { providers } = bench.services;
      const [first, second] = bench.models;
      const twin = { ...second.instance, kind: first.instance.kind, displayName: "Attic" };
      const instances = () => [{ ...first.instance, displayName: "Box" }, twin];
      bench.room.services = { ...bench.services, providers: { ...providers, instances } };
      await asking(bench);
      first.asked[0]?.fail("unreachable");
      await bench.settle();
      expect(bench.events("turn:rerouted")).toMatchObject([
        { from: { displayName: "Box" }, to: { displayName: "Attic" } },
      ]);
    }));

  it("is asked again after a while where it is the last one, a few times, and everybody sees that", () =>
    inRoom(async (bench) => {
      alone(bench);
      const sent = await asking(bench);
      for (const again of [1, 2]) {
        bench.models[0].asked.at(-1)?.fail("overloaded");
        await bench.settle();
        expect(bench.models[0].asked).toHaveLength(again);
        await bench.forward(REASONABLE_MS / 2);
        expect(bench.models[0].asked).toHaveLength(again + 1);
      }
      expect(bench.events("turn:rerouted").map(({ from, to, why }) => [from.model, to.model, why])).toEqual([
        ["first", "first", "It failed: overloaded. first is asked again in a moment."],
        ["first", "first", "It failed: overloaded. first is asked again in a moment."],
      ]);
      bench.models[0].asked.at(-1)?.fail("overloaded");
      await bench.forward(REASONABLE_MS);
      expect(bench.models[0].asked).toHaveLength(3);
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:failed" }]);
    }));

  it("with a refusal of the request itself is asked no more where it is the last one", () =>
    inRoom(async (bench) => {
      alone(bench);
      const sent = await asking(bench);
      bench.models[0].asked[0]?.fail("invalid_request");
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:failed", error: { code: "provider_failed" } }]);
      await bench.forward(REASONABLE_MS);
      expect(bench.models[0].asked).toHaveLength(1);
    }));

  it("is not asked before the time that it asked for itself", () =>
    inRoom(async (bench) => {
      alone(bench);
      await asking(bench);
      const failure = { kind: "rate_limited" as const, message: "Too many.", retryable: true, retryAfterMs: 20_000 };
      bench.models[0].asked[0]?.push({ type: "failure", failure });
      await bench.settle();
      await bench.forward(19_999);
      expect(bench.models[0].asked).toHaveLength(1);
      await bench.forward(1);
      expect(bench.models[0].asked).toHaveLength(2);
    }));

  it("is not asked again by a turn that was stopped while it waited", () =>
    inRoom(async (bench) => {
      alone(bench);
      const sent = await asking(bench);
      bench.models[0].asked[0]?.fail("overloaded");
      await bench.settle();
      bench.room.queue.stop(undefined, "Stopped by Ada.");
      expect(bench.endings(sent.turnId)).toHaveLength(1);
      await bench.forward(REASONABLE_MS);
      expect(bench.models[0].asked).toHaveLength(1);
      expect(bench.endings(sent.turnId)).toHaveLength(1);
    }));

  it("is asked again by the object that comes after one that went while it waited", () =>
    inRoom(async (bench) => {
      const { providers } = bench.services;
      bench.services.providers = { ...providers, instances: () => [bench.models[0].instance] };
      const sent = await asking(bench);
      bench.models[0].asked[0]?.fail("overloaded");
      await bench.settle();
      await bench.crash();
      bench.models[0].asked.at(-1)?.text("now").finish();
      await bench.settle();
      expect(bench.endings(sent.turnId)).toMatchObject([{ type: "turn:completed" }]);
    }));
});

describe("what a failed attempt cost", () => {
  it("is told with the change to the next model, and is part of the message's sum", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.fail("server_error", STEP_USAGE);
      await bench.settle();
      bench.models[1].asked[0]?.text("here").finish();
      await bench.settle();
      const [model] = bench.models[0].instance.models;
      const price = model ? priceOf(model, STEP_USAGE) : 0;
      expect(price).toBeGreaterThan(0);
      expect(costs(bench)).toEqual([price]);
      expect(bench.answerTo(sent.messageId)?.metadata).toMatchObject({
        usage: { inputTokens: 20, outputTokens: 10 },
        microUsd: 2 * price,
      });
    }));

  it("is estimated where it had begun to write and its vendor does not say", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench, "a question of some length, which the vendor has read");
      bench.models[0].asked[0]?.push({ type: "thinking-delta", text: "let me think about that for a while" });
      await bench.settle();
      bench.models[0].asked[0]?.fail("server_error");
      await bench.settle();
      bench.models[1].asked[0]?.text("here").finish();
      await bench.settle();
      const [cost = 0] = costs(bench);
      expect(cost).toBeGreaterThan(0);
      const [model] = bench.models[1].instance.models;
      const answered = model ? priceOf(model, STEP_USAGE) : 0;
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBe(answered + cost);
    }));

  it("is nothing where nobody had begun", () =>
    inRoom(async (bench) => {
      await asking(bench);
      bench.models[0].asked[0]?.fail("unreachable");
      await bench.settle();
      expect(bench.events("turn:rerouted")).toHaveLength(1);
      expect(costs(bench)).toEqual([]);
    }));

  it("is told once where text was shown and another model goes on", () =>
    inRoom(async (bench) => {
      const sent = await asking(bench);
      bench.models[0].asked[0]?.text("one.");
      await bench.settle();
      bench.models[0].asked[0]?.fail("rate_limited", STEP_USAGE);
      await bench.settle();
      bench.models[1].asked[0]?.text("two.").finish();
      await bench.settle();
      const [cost = 0] = costs(bench);
      expect(costs(bench)).toHaveLength(1);
      expect(bench.answerTo(sent.messageId)?.metadata.microUsd).toBe(2 * cost);
    }));
});

describe("the breakers", () => {
  it("hear of every attempt, with the kind of its failure", () =>
    inRoom(async (bench) => {
      await asking(bench);
      const failure = { kind: "rate_limited" as const, message: "Too many.", retryable: true, retryAfterMs: 5_000 };
      bench.models[0].asked[0]?.push({ type: "failure", failure });
      await bench.settle();
      bench.models[1].asked[0]?.text("here").finish();
      await bench.settle();
      expect(bench.reports).toMatchObject([
        { id: "test:first", outcome: { ok: false, kind: "rate_limited", error: "Too many.", retryAfterMs: 5_000 } },
        { id: "test:second", outcome: { ok: true } },
      ]);
    }));

  it("let one turn try a provider that may be well again; for the others it is still down", () =>
    inRoom(async (bench) => {
      bench.models[0].instance.breaker = "half-open";
      bench.models[0].instance.health = "degraded";
      let isTaken = false;
      const trial = (): boolean => {
        const mayTry = !isTaken;
        isTaken = true;
        return mayTry;
      };
      bench.room.services = { ...bench.services, health: { ...bench.services.health, trial } };
      await asking(bench, "first");
      expect(bench.models[0].asked).toHaveLength(1);
      bench.models[0].asked[0]?.text("here").finish();
      await bench.settle();
      await asking(bench, "second");
      expect(bench.models[0].asked).toHaveLength(1);
      expect(bench.models[1].asked).toHaveLength(1);
    }));
});

describe("how long a provider may take to its first sign of life", () => {
  it.each([
    ["closed", "healthy", 1, 60_000],
    ["open", "down", 1, 5_000],
    ["half-open", "degraded", 1, 15_000],
    ["half-open", "degraded", 2, 30_000],
    ["half-open", "degraded", 9, 60_000],
  ] as const)("is, with its breaker %s and %s after %i failures, %i ms", (breaker, health, failures, ms) =>
    inRoom(async (bench) => {
      alone(bench);
      const trouble = { since: "2026-11-21T12:00:00.000Z", error: "It sent nothing.", failures };
      Object.assign(bench.models[0].instance, { breaker, health, trouble });
      await asking(bench);
      expect(bench.models[0].asked[0]?.options.headersTimeoutMs).toBe(ms);
    }),
  );
});

describe("the one trial of a provider that may be well again", () => {
  /** Which instances were leased, each as it was. */
  const leasing = (bench: RoomBench): string[] => {
    const leased: string[] = [];
    const trial = ({ id }: { id: string }): boolean => leased.push(id) > 0;
    const [, second] = bench.models;
    second.instance.breaker = "half-open";
    second.instance.health = "degraded";
    bench.services.health = { ...bench.services.health, trial };
    const { providers } = bench.services;
    const third = { ...second.instance, id: "test:third" };
    const instances = () => [...bench.models.map(({ instance }) => instance), third];
    bench.room.services = { ...bench.services, providers: { ...providers, instances } };
    return leased;
  };

  it("is not taken by an answer that goes on where it was cut, nor by one that gives up", () =>
    inRoom(async (bench) => {
      const leased = leasing(bench);
      await asking(bench);
      bench.models[0].asked[0]?.text("one.");
      await bench.settle();
      bench.models[0].asked[0]?.fail("stream_cut");
      await bench.settle();
      expect(bench.models[0].asked).toHaveLength(2);
      expect(leased).toEqual([]);
      bench.models[0].asked[1]?.fail("aborted");
      await bench.settle();
      expect(leased).toEqual([]);
    }));

  it("is taken by the one that is sent there", () =>
    inRoom(async (bench) => {
      const leased = leasing(bench);
      await asking(bench);
      bench.models[0].asked[0]?.fail("server_error");
      await bench.settle();
      expect(bench.models[1].asked).toHaveLength(1);
      expect(leased).toEqual(["test:second"]);
    }));

  it("is not taken by a turn that is taken up again and stays with its model", () =>
    inRoom(async (bench) => {
      const [first, second] = bench.models;
      const { providers } = bench.services;
      bench.services.providers = { ...providers, instances: () => [first.instance] };
      bench.room.services = { ...bench.room.services, providers: bench.services.providers };
      await asking(bench);
      expect(first.asked).toHaveLength(1);
      bench.services.providers = { ...providers, instances: () => [second.instance, first.instance] };
      const leased = leasing(bench);
      await bench.crash();
      expect(first.asked).toHaveLength(2);
      expect(leased).toEqual([]);
    }));
});

describe("a model that nobody can reach", () => {
  it("is replaced by the guide in the end, who knows what was tried", () =>
    inRoom(async (bench) => {
      const guide = bench.models[1];
      guide.instance.kind = "guide";
      await asking(bench);
      for (let round = 0; round < 3; round++) {
        bench.models[0].asked.at(-1)?.fail("unreachable");
        await bench.settle();
        await bench.forward(REASONABLE_MS / 2);
      }
      expect(guide.asked[0]?.request.system).toContain(GUIDE_NOTE);
    }));
});
