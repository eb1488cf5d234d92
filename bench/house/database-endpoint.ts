import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { root } from "../../scripts/build-inputs.ts";

const Address = z.object({
  ready: z.literal(true),
  port: z.int(),
  appUrl: z.string(),
  authUrl: z.string(),
  ownerUrl: z.string(),
  endpoint: z.string(),
});
export type DatabaseAddress = z.infer<typeof Address>;

/** The stack's database process, to be stopped and started again at the same address. */
export class DatabaseEndpoint {
  readonly #dataDir: string;
  #child: ChildProcess | null = null;
  #port = 0;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async start(): Promise<DatabaseAddress> {
    const main = join(root, "selfhost", "database", "main.ts");
    const child = spawn(process.execPath, [main, "--data-dir", this.#dataDir, "--port", String(this.#port)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child = child;
    const [line] = await once(createInterface(child.stdout), "line");
    const address = Address.parse(JSON.parse(String(line)));
    this.#port = address.port;
    return address;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
}
