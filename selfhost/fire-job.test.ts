import { expect, it } from "vitest";
import { fireJob } from "./fire-job.ts";

const gone = (): Promise<never> => Promise.reject(new TypeError("fetch failed"));
const answer = (status: number) => async () => ({ ok: status < 400, status });

/** @returns how often it was fired, how often it was waited for, and what the operator reads */
async function run(...answers: (() => Promise<{ ok: boolean; status: number }>)[]) {
  let [fired, waited] = [0, 0];
  const fire = () => (answers[fired++] ?? gone)();
  const told = await fireJob(fire, async () => waited++).then(
    () => null,
    (error: Error) => error.message,
  );
  return { fired, waited, told };
}

it("fires a job once more, and quietly, where the runtime was just being started again", async () => {
  expect(await run(gone, answer(204))).toEqual({ fired: 2, waited: 1, told: null });
  expect(await run(answer(204))).toEqual({ fired: 1, waited: 0, told: null });
});

it("says in words that nobody answered, and never fires a job again that failed", async () => {
  const silent = await run(gone, gone);
  expect(silent).toMatchObject({ fired: 2, told: expect.stringContaining("did not answer") });
  expect(silent.told).not.toContain("fetch failed");
  expect(await run(answer(500))).toEqual({ fired: 1, waited: 0, told: "the Worker answered 500" });
});
