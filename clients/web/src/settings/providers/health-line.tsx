import { HEALTH_WORDS } from "../../../../../shared/client/provider-words.ts";
import type { ProviderHealth } from "../../../../../shared/contract/model.ts";
import type { Provider } from "../../../../../shared/contract/provider.ts";
import { formatDuration } from "../../conversation/format.ts";
import { timeWords } from "./since.ts";

interface HealthLineProps {
  provider: Provider;
  health: ProviderHealth | undefined;
  /** A newer sentence stands below it. */
  withoutError: boolean;
}

/** How it fares, since when, how fast, and the last thing that went wrong. */
export function HealthLine({ provider, health, withoutError }: HealthLineProps) {
  if (!provider.isEnabled) return <p className="text-[13px] text-soft">Off: kept here, and not used.</p>;
  const state = health?.state ?? provider.health;
  const isFine = state === "healthy";
  const tone = { healthy: "text-accent", degraded: "text-warn", down: "text-danger", unknown: "text-soft" }[state];
  const latencyMs = health?.latencyMs ?? null;
  return (
    <div className="text-[13px]">
      <p className="text-soft">
        <span className={`font-medium ${tone}`}>{HEALTH_WORDS[state]}</span>
        {health && state !== "unknown" ? ` since ${timeWords(health.since, new Date())}` : ""}
        {isFine && latencyMs !== null ? ` · ${formatDuration(latencyMs)}` : ""}
      </p>
      {!isFine && !withoutError && health?.lastError ? (
        <p className="mt-0.5 break-words text-soft">{health.lastError}</p>
      ) : null}
    </div>
  );
}
