import type { ProbeOutcome } from "../../domain/providers/breaker.ts";
import { type ListedModel, type ModelProvider, ProviderError } from "../../ports/model-provider.ts";
import { abortAfter } from "../abort-after.ts";

export const PROBE_TIMEOUT_MS = 10_000;

/** Asks a vendor for its models, which costs no tokens. Never throws. */
export async function askForList(
  displayName: string,
  provider: ModelProvider,
  now: () => Date,
): Promise<{ outcome: ProbeOutcome; models: ListedModel[] | null }> {
  const started = now().getTime();
  try {
    const [models, isProven] = await abortAfter(PROBE_TIMEOUT_MS, (signal) =>
      Promise.all([provider.models(signal), provider.provesKey?.(signal) ?? true]),
    );
    const ended = now();
    const asOf = ended.toISOString().slice(0, 10);
    return {
      outcome: { ok: true, latencyMs: ended.getTime() - started, ...(isProven ? {} : { isKeyUnproven: true }) },
      // Only facts the vendor itself told are as fresh as its list.
      models: models.map((model) => (model.source === undefined ? model : { asOf, ...model })),
    };
  } catch (thrown) {
    const failure = thrown instanceof ProviderError ? thrown.failure : undefined;
    const late = failure?.kind === "aborted";
    const error = late || !failure ? `${displayName} did not list its models in time.` : failure.message;
    return { outcome: { ok: false, kind: late ? "timeout" : (failure?.kind ?? "protocol"), error }, models: null };
  }
}
