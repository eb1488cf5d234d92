/**
 * `npm run providers:demo`: every kind of provider is connected, lists its models, answers, and is broken while the answer
 * still comes (play-providers.ts); then a connector on another machine is killed in the middle of an answer and started
 * again (../connector/other-machine.ts). Prints a line for each step and ends with 1 when one of them did not come about.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { playProviders } from "./play-providers.ts";

async function playOtherMachine(): Promise<string[]> {
  console.log("A machine dials in from another network:");
  const script = join(import.meta.dirname, "..", "connector", "other-machine.ts");
  const [code] = await once(spawn(process.execPath, [script], { stdio: "inherit" }), "exit");
  return code === 0 ? [] : ["the part on another machine"];
}

const failed = [...(await playProviders(console.log)), ...(await playOtherMachine())];
console.log(failed.length === 0 ? "All of it came about." : `This did not come about:\n  ${failed.join("\n  ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
