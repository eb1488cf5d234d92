/** What the timer asks of providers' health. */
export interface Probes {
  /** Seconds between two probes of one provider. */
  everySeconds(): number;
  /** Probes those that are due. Never throws. */
  probeDue(): Promise<{ probed: number }>;
  wait(ms: number): Promise<void>;
}

const MINUTE_SECONDS = 60;

/**
 * Asks providers how they fare, in the timer's minute as often as the operator wants it. It blocks nobody: whoever reads
 * the health of a provider reads what the last probe said.
 */
export async function probeProviders({ probes }: { probes: Probes }): Promise<void> {
  const everySeconds = probes.everySeconds();
  const rounds = Math.max(1, Math.floor(MINUTE_SECONDS / everySeconds));
  for (let round = 1; round <= rounds; round++) {
    await probes.probeDue();
    if (round < rounds) await probes.wait(everySeconds * 1_000);
  }
}
