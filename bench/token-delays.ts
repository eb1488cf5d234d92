/**
 * Milliseconds that each token of an answer of numbered words took. A token has arrived with the first delta that
 * reaches to its end.
 * @param received characters of the answer after each delta, and `atMs` when that came
 * @param written when the vendor wrote each token, on the same clock
 * @throws Error when the answer is not whole
 */
export function tokenDelays(
  { received, atMs }: { received: readonly number[]; atMs: readonly number[] },
  written: readonly number[],
): number[] {
  let end = 0;
  let delta = 0;
  const delays = written.map((writtenAtMs, token) => {
    end += token === 0 ? "t0".length : ` t${token}`.length;
    while ((received[delta] ?? Number.POSITIVE_INFINITY) < end) delta++;
    return (atMs[delta] ?? Number.NaN) - writtenAtMs;
  });
  if (received.at(-1) !== end) throw new Error(`${received.at(-1) ?? 0} of ${end} characters arrived.`);
  return delays;
}
