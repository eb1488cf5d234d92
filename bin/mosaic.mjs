#!/usr/bin/env node
/** `npx mosaic` in the checkout: installs what is missing, then runs the terminal client on the checkout's own Node. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOrExit, nodePath } from "../scripts/install.mjs";

installOrExit();
const main = join(dirname(dirname(fileURLToPath(import.meta.url))), "clients", "terminal", "main.ts");
const child = spawn(nodePath(), [main, ...process.argv.slice(2)], { stdio: "inherit" });

// The terminal sends Ctrl+C to both; only the client decides what it means. Signals sent to this process alone are passed on.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT");
});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

child.on("error", (error) => {
  console.error(`Mosaic's terminal client did not start: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
