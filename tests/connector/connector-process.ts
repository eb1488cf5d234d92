/** `mosaic connect` as a person runs it, with a home folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/build-inputs.ts";
import type { Home } from "../../shared/testing/node/terminal-process.ts";

const MAIN = join(root, "clients", "terminal", "main.ts");

export class ConnectorProcess {
  readonly child: ChildProcess;
  #output = "";

  /** `wrap` runs it inside something else, such as a network namespace. */
  constructor(home: Home, words: readonly string[], wrap: readonly string[] = []) {
    const [command = process.execPath, ...rest] = [...wrap, process.execPath, MAIN, "connect", ...words];
    this.child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...home.env, HOME: home.path, XDG_CONFIG_HOME: join(home.path, "config") },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (data) => {
        this.#output += String(data);
      });
    }
  }

  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until it said this, so many times in all. */
  async says(text: string | RegExp, times = 1): Promise<void> {
    const deadline = Date.now() + 30_000;
    const count = (): number => this.#output.split(text).length - 1;
    while (count() < times) {
      if (Date.now() > deadline || (this.hasEnded && count() < times)) {
        throw new Error(`mosaic connect did not say ${String(text)}; it said:\n${this.#output}`);
      }
      await sleep(20);
    }
  }

  /** @returns the exit code; null where a signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = this.hasEnded ? null : once(this.child, "close");
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }

  async ended(): Promise<number | null> {
    if (!this.hasEnded) await once(this.child, "close");
    return this.child.exitCode;
  }
}
