/** Time enough for workerd to be started again. */
const AGAIN_AFTER_MS = 2_000;

/**
 * Fires a job. Where nobody answers, as in the moment in which workerd is started again, it is fired once more, and
 * nobody hears of that.
 * @param fire fulfils with the Worker's answer, and rejects where there is none
 * @throws Error with a sentence for the operator when the job failed, or could not be started
 */
export async function fireJob(
  fire: () => Promise<{ ok: boolean; status: number }>,
  wait: (ms: number) => Promise<unknown>,
): Promise<void> {
  const response = await fire()
    .catch(async () => {
      await wait(AGAIN_AFTER_MS);
      return await fire();
    })
    .catch(() => {
      throw new Error("the Workers runtime did not answer; the next one follows by itself.");
    });
  if (!response.ok) throw new Error(`the Worker answered ${response.status}`);
}
