import type { Usage } from "../../contract/message.ts";
import type { Model } from "../../contract/model.ts";

const MILLION = 1_000_000n;

/**
 * The cost of one answer in micro-USD, rounded to the nearest. Above a step the whole answer costs the step's prices,
 * cached input in the same proportion. 0 where no price is known: look at `model.prices` before calling it free.
 */
export function priceOf(model: Pick<Model, "prices">, usage: Usage): number {
  const { prices } = model;
  if (!prices) return 0;
  const step = prices.steps
    ?.filter((candidate) => usage.inputTokens > candidate.aboveInputTokens)
    .reduce((highest, candidate) => (candidate.aboveInputTokens > highest.aboveInputTokens ? candidate : highest), {
      aboveInputTokens: 0,
      inputMicroUsdPerMTok: prices.inputMicroUsdPerMTok,
      outputMicroUsdPerMTok: prices.outputMicroUsdPerMTok,
    });
  const base = BigInt(prices.inputMicroUsdPerMTok);
  const input = BigInt(step?.inputMicroUsdPerMTok ?? prices.inputMicroUsdPerMTok);
  const output = BigInt(step?.outputMicroUsdPerMTok ?? prices.outputMicroUsdPerMTok);
  const cachedAtBase = BigInt(prices.cachedInputMicroUsdPerMTok ?? prices.inputMicroUsdPerMTok);
  const cached = base === 0n ? cachedAtBase : (cachedAtBase * input) / base;
  const cachedTokens = BigInt(Math.min(usage.cachedTokens, usage.inputTokens));
  const freshTokens = BigInt(usage.inputTokens) - cachedTokens;
  const total = freshTokens * input + cachedTokens * cached + BigInt(usage.outputTokens) * output;
  return Number((total + MILLION / 2n) / MILLION);
}
