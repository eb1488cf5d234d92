/**
 * Preloaded into the database's process with `--import`: stands between its HTTP server and the Worker as a bad network
 * does. The shipped code knows nothing of it. Only the Worker's roles suffer; migrations and the checker get through.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import { isMainThread } from "node:worker_threads";
import { type DatabaseFaults, FAULTS_FOLDER, faultsFile, NO_FAULTS, portFile } from "./database-faults.ts";

/** What a server says that is stopping, full, or lost a race: each may be tried again. */
const REFUSALS = [
  { code: "57P01", message: "terminating connection due to administrator command" },
  { code: "53300", message: "sorry, too many clients already" },
  { code: "40001", message: "could not serialize access due to concurrent update" },
];

class Wire {
  readonly #folder: string;
  #readAt = 0;
  #faults: DatabaseFaults = NO_FAULTS;
  #drawn = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  listening(server: Server): void {
    const address = server.address();
    if (typeof address === "object" && address) writeFileSync(portFile(this.#folder), String(address.port));
  }

  request(request: IncomingMessage, response: ServerResponse, pass: () => boolean): boolean {
    const faults = this.#read();
    const owner = String(request.headers["neon-connection-string"] ?? "").startsWith("postgresql://owner:");
    if (owner || faults === NO_FAULTS) return pass();
    if (faults.mode === "away") {
      request.socket.destroy();
      return true;
    }
    if (faults.mode === "silent") return true;
    const run = (): void => {
      if (this.#chance(faults.fail)) return refuse(response, REFUSALS[this.#drawn % REFUSALS.length]);
      if (this.#chance(faults.lose)) loseAnswer(response);
      pass();
    };
    if (faults.delayMs > 0) setTimeout(run, faults.delayMs);
    else run();
    return true;
  }

  #chance(share: number): boolean {
    if (share === 0) return false;
    this.#drawn += 1;
    const mixed = Math.imul((this.#drawn + this.#faults.seed) ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32 < share;
  }

  #read(): DatabaseFaults {
    const path = faultsFile(this.#folder);
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changedAt === this.#readAt) return this.#faults;
    this.#readAt = changedAt;
    const read: DatabaseFaults = JSON.parse(readFileSync(path, "utf8"));
    const quiet = read.mode === "ok" && read.delayMs === 0 && read.fail === 0 && read.lose === 0;
    this.#faults = quiet ? NO_FAULTS : read;
    return this.#faults;
  }
}

function refuse(response: ServerResponse, why = REFUSALS[0]): void {
  response.writeHead(400, { "content-type": "application/json" });
  response.end(JSON.stringify({ severity: "FATAL", ...why }));
}

/** The statement runs and commits; what it answers stays on the way. */
function loseAnswer(response: ServerResponse): void {
  const cut = () => {
    response.destroy();
    return response;
  };
  Object.assign(response, { writeHead: () => response, end: cut });
}

const folder = process.env[FAULTS_FOLDER];
if (folder && isMainThread && process.argv[1]?.endsWith("selfhost/database/main.ts")) {
  const wire = new Wire(folder);
  const { emit } = Server.prototype;
  Server.prototype.emit = function intercepted(this: Server, name: string, ...rest: unknown[]): boolean {
    const pass = (): boolean => Reflect.apply(emit, this, [name, ...rest]);
    if (name === "listening") wire.listening(this);
    if (name !== "request") return pass();
    const [request, response] = rest as [IncomingMessage, ServerResponse];
    return wire.request(request, response, pass);
  };
}
