import { estimateTokenCount } from "tokenx";
import type { Part, Usage } from "../../contract/message.ts";
import { messageTokens } from "../context/select.ts";

/** What a vendor most likely bills for an attempt that broke before it said so: all that it read, and what it wrote. */
export const estimatedUsage = (prompt: readonly { parts: Part[] }[], written: string): Usage => ({
  inputTokens: prompt.reduce((sum, message) => sum + messageTokens(message), 0),
  outputTokens: estimateTokenCount(written),
  cachedTokens: 0,
});
