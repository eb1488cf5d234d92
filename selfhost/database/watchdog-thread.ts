import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import * as z from "zod";

const { beat, limitMs } = z.object({ beat: z.instanceof(BigInt64Array), limitMs: z.number() }).parse(workerData);

setInterval(
  () => {
    const silentMs = Date.now() - Number(Atomics.load(beat, 0));
    if (silentMs < limitMs) return;
    const seconds = Math.round(silentMs / 1000);
    // console would wait for the thread that hangs.
    writeSync(
      2,
      `The database has not answered for ${seconds} s because one query blocks it; it is being restarted.\n`,
    );
    process.kill(process.pid, "SIGKILL");
  },
  Math.min(1_000, limitMs / 4),
);
