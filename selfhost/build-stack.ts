import { spawn } from "node:child_process";
import { join } from "node:path";
import { staleHalves } from "../scripts/build-inputs.ts";
import { StartProblem } from "./start-problem.ts";

/**
 * Brings dist/ up to date, in a process of its own: wrangler and Vite would stay in this one's memory for ever.
 * @returns one line for the log
 * @throws StartProblem with the build's own output
 */
export async function buildStack(root: string): Promise<string> {
  if (staleHalves().length === 0) return "Build: up to date.";
  const child = spawn(process.execPath, [join(root, "scripts", "build.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const text = Buffer.concat(output).toString().trim();
  if (code !== 0) throw new StartProblem(`${text}\nMosaic could not be built, so it was not started.`);
  return `Build: ${text}`;
}
