/** One adapter before a server that a test writes by the byte. */
import { afterAll, beforeAll } from "vitest";
import type { ModelEvent, ModelProvider, ModelRequest, StreamOptions } from "../../ports/model-provider.ts";
import { ask, collect } from "./collect-events.ts";
import type { ContractSubject } from "./contract-subject.ts";
import { type RawServer, startRawServer, writeSlowly } from "./raw-server.ts";

export const TEXTS = ["Grüße, ", "🌍 Welt", " and “quotes”\n", "終わり"] as const;
export const WHOLE = TEXTS.join("");
/** Deadlines that a test can wait for. */
export const SHORT: Partial<StreamOptions> = { headersTimeoutMs: 250, idleTimeoutMs: 250 };

export interface Wired {
  readonly server: RawServer;
  provider(): ModelProvider;
  /** The bytes of a whole answer. */
  bytes(texts?: readonly string[]): Uint8Array;
  /** Streams these pieces with status 200; `end` says how the connection ends. */
  answerWith(pieces: Iterable<string | Uint8Array>, end?: "end" | "destroy" | "hang", pauseMs?: number): void;
  run(options?: Partial<StreamOptions>, request?: ModelRequest): Promise<ModelEvent[]>;
}

/** To be called inside `describe`. */
export function wireUp(subject: ContractSubject): Wired {
  const { wire, model } = subject;
  let server: RawServer | undefined;
  let provider: ModelProvider | undefined;
  beforeAll(async () => {
    server = await startRawServer(subject.beside);
    provider = subject.create(server.url);
  });
  afterAll(() => server?.close());
  const running = (): RawServer => {
    if (!server) throw new Error("The server has not been started yet.");
    return server;
  };
  const opened = (): ModelProvider => {
    if (!provider) throw new Error("The adapter has not been opened yet.");
    return provider;
  };
  return {
    get server() {
      return running();
    },
    provider: opened,
    bytes: (texts = TEXTS) => new TextEncoder().encode(wire.answer(texts).join("")),
    answerWith: (pieces, end = "end", pauseMs = 0) =>
      running().answer((response) => {
        response.writeHead(200, { "content-type": wire.contentType });
        response.flushHeaders();
        writeSlowly(response, pieces, pauseMs).then(
          () => (end === "end" ? response.end() : end === "destroy" ? response.destroy() : undefined),
          () => response.destroy(),
        );
      }),
    run: (options = {}, request = ask(model, "hello")) => collect(opened(), request, options),
  };
}
