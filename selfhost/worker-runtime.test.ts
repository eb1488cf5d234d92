import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("../shared/testing/node/noisy-runtime.ts", import.meta.url));

it("cron triggers are handled while the Worker fills its log, and the stack does not stand still", () => {
  const { stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  expect(stdout.trim(), stderr.slice(-1_000)).toBe("handled 5, a stranger got 404");
}, 70_000);
