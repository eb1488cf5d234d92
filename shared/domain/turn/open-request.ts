import { estimateTokenCount } from "tokenx";
import type { Part, Usage } from "../../contract/message.ts";
import type { Model } from "../../contract/model.ts";
import { priceOf } from "../catalogue/price-of.ts";

/** A request that is on its way: what it will have cost if nobody hears how it ends. */
export interface OpenRequest {
  /** An estimate of what it reads. */
  inputTokens: number;
  /** How many parts the answer had before it; what comes behind them is its own. */
  afterParts: number;
  prices: Model["prices"];
}

/** What a vendor most likely bills for an attempt that broke before it said so: all that it read, and what it wrote. */
export const estimatedUsage = (inputTokens: number, written: string): Usage => ({
  inputTokens,
  outputTokens: estimateTokenCount(written),
  cachedTokens: 0,
});

const wordsOf = (part: Part): string => {
  if (part.type === "text" || part.type === "thinking") return part.text;
  return part.type === "tool-call" && part.input !== null ? JSON.stringify(part.input) : "";
};

/** The sum with what a request has cost that was on its way when `parts` were seen last. */
export function withOpenRequest(
  spent: Usage & { microUsd: number },
  open: OpenRequest | null,
  parts: readonly Part[],
): Usage & { microUsd: number } {
  if (!open) return spent;
  const written = parts.slice(open.afterParts).map(wordsOf).join("");
  const usage = estimatedUsage(open.inputTokens, written);
  return {
    inputTokens: spent.inputTokens + usage.inputTokens,
    outputTokens: spent.outputTokens + usage.outputTokens,
    cachedTokens: spent.cachedTokens,
    microUsd: spent.microUsd + priceOf(open, usage),
  };
}
