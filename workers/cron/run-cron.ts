import type { Work } from "../queues/maintenance.ts";
import { type Probes, probeProviders } from "./probe-providers.ts";
import { askForRewrapping } from "./rewrap-credentials.ts";
import { askForSweep } from "./sweep-expired.ts";

/** What the timer's jobs may use. */
export interface TimedWork extends Pick<Work, "send"> {
  probes: Probes;
}

/** By the expression as it stands in wrangler.toml's triggers. Every job may run twice. */
const jobs: Record<string, readonly ((work: TimedWork) => Promise<void>)[]> = {
  "17 * * * *": [askForSweep, askForRewrapping],
  "* * * * *": [probeProviders],
};

export const cronExpressions = Object.keys(jobs);

/** Runs what is due; one job's failure keeps no other from running. @throws Error when one failed or none is known */
export async function runCron(cron: string, work: TimedWork): Promise<void> {
  const due = jobs[cron];
  if (!due) throw new Error(`The cron trigger "${cron}" has no job; add one in workers/cron/run-cron.ts.`);
  const results = await Promise.allSettled(due.map((job) => job(work)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
