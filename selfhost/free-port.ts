import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, StartProblem } from "./start-problem.ts";

const reasons: Record<string, string> = {
  EADDRINUSE: "is in use by another program. Stop that program, or set PORT to a free port",
  EACCES: "may not be used by this account. Set PORT to a number above 1023",
  EADDRNOTAVAIL: "is not an address of this machine. Set HOST to one that is",
  ENOTFOUND: "is not an address of this machine. Set HOST to one that is",
};

/** A process that was just killed shows as gone a moment before its sockets are. */
const PATIENCE_MS = 1_000;

/**
 * Makes sure that the stack can listen before anything of it starts.
 * @returns the port; a free one when `port` is 0
 * @throws StartProblem when it is taken
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await tryPort(host, port);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (code === "EADDRINUSE" && Date.now() < deadline) {
        await sleep(50);
        continue;
      }
      throw new StartProblem(`Port ${port} on ${host} ${reasons[code] ?? `cannot be used (${messageOf(error)})`}.`);
    }
  }
}

function tryPort(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}
