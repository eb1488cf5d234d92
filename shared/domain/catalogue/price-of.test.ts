import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeModel } from "./describe-model.ts";
import { priceOf } from "./price-of.ts";

const count = fc.integer({ min: 0, max: 50_000_000 });
const price = fc.integer({ min: 0, max: 100_000_000 });
const usages = fc
  .record({ inputTokens: count, outputTokens: count, cached: fc.integer({ min: 0, max: 100 }) })
  .map((drawn) => ({
    inputTokens: drawn.inputTokens,
    outputTokens: drawn.outputTokens,
    cachedTokens: Math.floor((drawn.inputTokens * drawn.cached) / 100),
  }));
const models = fc
  .record({ input: price, output: price, cachedPercent: fc.integer({ min: 0, max: 100 }) })
  .map((drawn) => ({
    prices: {
      inputMicroUsdPerMTok: drawn.input,
      outputMicroUsdPerMTok: drawn.output,
      cachedInputMicroUsdPerMTok: Math.floor((drawn.input * drawn.cachedPercent) / 100),
    },
  }));

const gpt = describeModel("openai", { id: "gpt-5.4" }, { providerId: "p" });
const opus = describeModel("anthropic", { id: "claude-opus-4-6" }, { providerId: "p" });

describe("priceOf", () => {
  it("is a whole number of micro-USD, never negative", () => {
    fc.assert(
      fc.property(models, usages, (model, usage) => {
        const cost = priceOf(model, usage);
        expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true);
      }),
    );
  });

  it("never charges more for cached tokens than for fresh ones", () => {
    fc.assert(
      fc.property(models, usages, (model, usage) => {
        expect(priceOf(model, usage)).toBeLessThanOrEqual(priceOf(model, { ...usage, cachedTokens: 0 }));
      }),
    );
  });

  it("never gets cheaper with more output", () => {
    fc.assert(
      fc.property(models, usages, count, (model, usage, more) => {
        const longer = { ...usage, outputTokens: usage.outputTokens + more };
        expect(priceOf(model, longer)).toBeGreaterThanOrEqual(priceOf(model, usage));
      }),
    );
  });

  it("agrees with the price list to the micro-USD", () => {
    expect(priceOf(opus, { inputTokens: 1_000_000, outputTokens: 1_000_000, cachedTokens: 0 })).toBe(30_000_000);
    expect(priceOf(opus, { inputTokens: 1_000_000, outputTokens: 0, cachedTokens: 1_000_000 })).toBe(500_000);
    expect(priceOf(opus, { inputTokens: 1_000, outputTokens: 10, cachedTokens: 900 })).toBe(500 + 450 + 250);
  });

  it("charges the whole answer at the step above its limit, and not at it", () => {
    const at = { inputTokens: 272_000, outputTokens: 1_000, cachedTokens: 0 };
    expect(priceOf(gpt, at)).toBe(680_000 + 15_000);
    expect(priceOf(gpt, { ...at, inputTokens: 272_001 })).toBe(1_360_005 + 22_500);
    expect(priceOf(gpt, { inputTokens: 300_000, outputTokens: 0, cachedTokens: 300_000 })).toBe(150_000);
  });

  it("is zero where no price is known", () => {
    expect(priceOf({ prices: null }, { inputTokens: 10, outputTokens: 10, cachedTokens: 0 })).toBe(0);
  });
});
