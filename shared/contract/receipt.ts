import * as z from "zod";
import { Id, MicroUsd } from "./primitives.ts";

export const TaskType = z.enum(["coding", "research", "summarization", "conversation", "analysis", "creative"]);
export const Complexity = z.enum(["simple", "moderate", "complex"]);
export const Domain = z.enum(["frontend", "backend", "devops", "docs", "general"]);
export const RequiredCapability = z.enum(["tools", "vision", "long-context", "reasoning"]);

const Confidence = z.number().min(0).max(1);

/** What the message was taken for. Confidence 0 means that the safe class stands, unjudged. */
export const Classification = z.object({
  taskType: TaskType,
  complexity: Complexity,
  domain: Domain,
  requiredCapabilities: z.array(RequiredCapability),
  confidence: z.object({ taskType: Confidence, complexity: Confidence, domain: Confidence }),
});
export type Classification = z.infer<typeof Classification>;

const ModelChoice = z.object({ providerId: z.string(), provider: z.string(), model: z.string() });

/** Why this model answered: goes with every answer, is stored with its message. */
export const Receipt = z.object({
  id: Id,
  classification: Classification,
  /** `displayName`: which provider it was, where several of its kind are connected. */
  chosen: ModelChoice.extend({ agentId: Id.optional(), displayName: z.string().optional() }),
  pinned: z.boolean(),
  rule: z.object({ id: Id, name: z.string(), scope: z.enum(["system", "workspace", "user"]) }).nullable(),
  /** One plain sentence. */
  reason: z.string(),
  rejected: z.array(ModelChoice.extend({ why: z.string() })),
  predicted: z.object({ inputTokens: z.int(), outputTokens: z.int(), microUsd: MicroUsd }),
  alternatives: z.array(z.object({ provider: z.string(), model: z.string(), microUsd: MicroUsd })),
  sticky: z
    .object({ kept: z.boolean(), cacheLossMicroUsd: MicroUsd, savingMicroUsd: MicroUsd, marginMicroUsd: MicroUsd })
    .nullable(),
  /** Whether the configuration behind this choice was read now or is the last good copy. */
  configuration: z.enum(["fresh", "snapshot"]),
  outcome: z.object({ microUsd: MicroUsd, premiumMicroUsd: MicroUsd, reroutes: z.int() }).optional(),
});
export type Receipt = z.infer<typeof Receipt>;
