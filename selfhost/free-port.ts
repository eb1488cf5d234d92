import { createServer } from "node:net";
import { StartProblem } from "./start-problem.ts";

const reasons: Record<string, string> = {
  EADDRINUSE: "is in use by another program. Stop that program, or set PORT to a free port",
  EACCES: "may not be used by this account. Set PORT to a number above 1023",
  EADDRNOTAVAIL: "is not an address of this machine. Set HOST to one that is",
  ENOTFOUND: "is not an address of this machine. Set HOST to one that is",
};

/**
 * Makes sure that the stack can listen before anything of it starts.
 * @returns the port; a free one when `port` is 0
 * @throws StartProblem when it is taken
 */
export function claimPort(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = reasons[error.code ?? ""] ?? `cannot be used (${error.message})`;
      reject(new StartProblem(`Port ${port} on ${host} ${reason}.`));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}
