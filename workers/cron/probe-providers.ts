/** What the timer asks of providers' health. */
export interface Probes {
  /** Seconds between two probes of one provider. */
  everySeconds(): number;
  /** Probes those that are due, for at most so many milliseconds. Never throws. */
  probeDue(forMs: number): Promise<{ probed: number }>;
  wait(ms: number): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
}

const MINUTE_MS = 60_000;

/**
 * Asks providers how they fare, in the timer's minute as often as the operator wants it, and never beyond that minute: the
 * next one has a timer of its own. A round that takes long takes the place of those that would have begun meanwhile. It
 * blocks nobody: whoever reads the health of a provider reads what the last probe said.
 */
export async function probeProviders({ probes }: { probes: Probes }): Promise<void> {
  const everyMs = probes.everySeconds() * 1_000;
  const rounds = Math.max(1, Math.floor(MINUTE_MS / everyMs));
  const beganAtMs = probes.now();
  for (let round = 0; round < rounds; round++) {
    const spentMs = probes.now() - beganAtMs;
    if (spentMs > round * everyMs && round > 0) continue;
    if (spentMs < round * everyMs) await probes.wait(round * everyMs - spentMs);
    await probes.probeDue(beganAtMs + MINUTE_MS - probes.now());
  }
}
