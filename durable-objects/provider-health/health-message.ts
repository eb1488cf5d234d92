import * as z from "zod";
import { HealthState } from "../../shared/contract/model.ts";
import { PROVIDER_ERROR_KINDS } from "../../shared/domain/model/provider-failure.ts";

const Kind = z.enum(PROVIDER_ERROR_KINDS);
const Outcome = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), latencyMs: z.number(), isKeyUnproven: z.boolean().exactOptional() }),
  z.object({ ok: z.literal(false), kind: Kind, error: z.string(), retryAfterMs: z.number().exactOptional() }),
]);

/** What an isolate tells the breaker's object: the news, and what it knew before them. */
export const HealthMessage = z.object({
  known: z.object({
    state: HealthState,
    sinceMs: z.number(),
    checkedAtMs: z.number().nullable(),
    latencyMs: z.number().nullable(),
    lastError: z.string().nullable(),
    lastErrorKind: Kind.nullable(),
    failures: z.int(),
    lastFailureAtMs: z.number().nullable(),
    openUntilMs: z.number().nullable(),
    trialUntilMs: z.number().nullable(),
    ofVersion: z.int(),
    version: z.int(),
  }),
  ofVersion: z.int(),
  news: z.discriminatedUnion("from", [
    z.object({ from: z.literal("probe"), outcome: Outcome }),
    z.object({ from: z.literal("traffic"), outcome: Outcome }),
    z.object({ from: z.literal("trial") }),
  ]),
});
