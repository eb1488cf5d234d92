import { estimateTokenCount } from "tokenx";
import type { Message, Part } from "../../contract/message.ts";

/** Tokens that a message costs besides its words: role, separators. */
const MESSAGE_OVERHEAD_TOKENS = 4;
/** A picture or a file counts as this much until it is read for real. */
const ATTACHMENT_TOKENS = 1_500;
/** Where a model's window is unknown. */
const CAREFUL_WINDOW_TOKENS = 8_192;
/** Room kept for the answer, at most a quarter of the window. */
const ANSWER_RESERVE_TOKENS = 8_192;

const partTokens = (part: Part): number => {
  switch (part.type) {
    case "text":
    case "thinking":
      return estimateTokenCount(part.text);
    case "tool-call":
      return estimateTokenCount(JSON.stringify(part.input ?? null)) + MESSAGE_OVERHEAD_TOKENS;
    case "tool-result":
      return estimateTokenCount(JSON.stringify(part.output ?? null)) + MESSAGE_OVERHEAD_TOKENS;
    case "image":
    case "file":
      return ATTACHMENT_TOKENS;
  }
};

const estimates = new WeakMap<readonly Part[], number>();

/**
 * An estimate, good to some ten percent; what the provider reports afterwards is what counts. Remembered for as long
 * as the parts are: they are never changed once they are stored.
 */
export function messageTokens({ parts }: Pick<Message, "parts">): number {
  const known = estimates.get(parts);
  if (known !== undefined) return known;
  const tokens = parts.reduce((sum, part) => sum + partTokens(part), MESSAGE_OVERHEAD_TOKENS);
  estimates.set(parts, tokens);
  return tokens;
}

export interface ContextSelection {
  messages: Message[];
  usedTokens: number;
  windowTokens: number | null;
  leftOut: number;
}

/** How many input tokens a model may be given, room for its answer set aside. */
export function inputBudget(windowTokens: number | null): number {
  const window = windowTokens ?? CAREFUL_WINDOW_TOKENS;
  return window - Math.min(ANSWER_RESERVE_TOKENS, Math.floor(window / 4));
}

/**
 * The newest messages that fit, oldest first. The last one always stays: if it alone is too large the provider says
 * so in its own words. Never begins with an answer whose question was left out. `takenTokens` of the window are in use.
 */
export function selectContext(
  path: readonly Message[],
  windowTokens: number | null,
  takenTokens = 0,
): ContextSelection {
  const budget = inputBudget(windowTokens) - takenTokens;
  let used = 0;
  let from = path.length;
  for (let index = path.length - 1; index >= 0; index--) {
    const message = path[index];
    if (!message) break;
    const tokens = messageTokens(message);
    if (used + tokens > budget && from < path.length) break;
    used += tokens;
    from = index;
  }
  while (from < path.length - 1 && path[from]?.role !== "user") {
    const skipped = path[from];
    used -= skipped ? messageTokens(skipped) : 0;
    from++;
  }
  return { messages: path.slice(from), usedTokens: used, windowTokens, leftOut: from };
}
