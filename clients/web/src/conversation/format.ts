/** Money with as many digits as it needs to be more than nothing: `$1.24`, `$0.031`, `$0.0004`, `$0`. */
export function formatMicroUsd(microUsd: number): string {
  if (microUsd === 0) return "$0";
  const usd = microUsd / 1_000_000;
  const size = Math.abs(usd);
  if (size < 0.0001) return usd < 0 ? "more than −$0.0001" : "under $0.0001";
  return `${usd < 0 ? "−" : ""}$${size.toFixed(size >= 1 ? 2 : size >= 0.01 ? 3 : 4)}`;
}

/** These run on people's own machines; elsewhere a cost of nothing means that the price is not known. */
const WITHOUT_COST: ReadonlySet<string | undefined> = new Set(["guide", "ollama"]);

/** What an answer cost: `free` where it surely is, null where nobody knows. */
export function formatCost(microUsd: number, provider: string | undefined): string | null {
  if (microUsd > 0) return formatMicroUsd(microUsd);
  return WITHOUT_COST.has(provider) ? "free" : null;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `1840`, `12.4k`, `1.2M`. */
export function formatCount(count: number): string {
  if (count < 10_000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
