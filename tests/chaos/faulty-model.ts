/** A model vendor whose faults are drawn from the seed: the same message meets the same fault at the same attempt. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { formatOf, type WireFormat } from "../../shared/testing/providers/fake-model-formats.ts";
import { createRandom } from "./random.ts";

export const MODEL_FAULTS = [
  "cut",
  "cut-at-once",
  "hang",
  "slow",
  "429",
  "500",
  "529",
  "garbage",
  "garbage-midway",
  "empty",
  "error-in-200",
] as const;
export type ModelFault = (typeof MODEL_FAULTS)[number];

export interface FaultyModel {
  url: string;
  /** The share of requests that meet a fault, 0 to 1. */
  setFaultShare(share: number): void;
  /** How often each fault was met, and `answered` for none. */
  counts(): Record<string, number>;
  close(): Promise<void>;
}

const WORDS = 6;
const HANG_MS = { short: 1_500, long: 4_000 };

interface Asked {
  text: string;
  model: string;
  stream: boolean;
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const of = (value: unknown, name: string): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  const list = of(body, "messages");
  const turns: unknown[] = Array.isArray(list) ? list : [];
  const last = turns.findLast((turn) => of(turn, "role") === "user");
  return { text: JSON.stringify(of(last, "content") ?? ""), model: String(of(body, "model")), stream: true };
}

class Vendor {
  readonly counts: Record<string, number> = {};
  readonly #seed: string;
  readonly #attempts = new Map<string, number>();
  share = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** What this request meets; null is a good answer. */
  #draw(text: string): ModelFault | null {
    const attempt = (this.#attempts.get(text) ?? 0) + 1;
    this.#attempts.set(text, attempt);
    if (this.#attempts.size > 20_000) this.#attempts.clear();
    const random = createRandom(`${this.#seed}/model/${text}/${attempt}`);
    return random.chance(this.share) ? random.pick(MODEL_FAULTS) : null;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const format = request.method === "POST" ? formatOf(request.url?.split("?")[0] ?? "") : undefined;
    if (!format) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: "claude-sonnet-4-6", type: "model" }] }));
      return;
    }
    const asked = await read(request);
    const fault = this.#draw(asked.text);
    const name = fault ?? "answered";
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    await play(response, format, asked, fault);
  }
}

async function play(response: ServerResponse, format: WireFormat, asked: Asked, fault: ModelFault | null) {
  if (fault === "429" || fault === "500" || fault === "529") {
    response.writeHead(Number(fault), {
      "content-type": "application/json",
      ...(fault === "429" && { "retry-after": "1" }),
    });
    response.end(JSON.stringify(format.error(Number(fault))));
    return;
  }
  response.socket?.setNoDelay(true);
  response.writeHead(200, { "content-type": fault === "error-in-200" ? "application/json" : "text/event-stream" });
  if (fault === "error-in-200") return void response.end(JSON.stringify(format.error(500)));
  if (fault === "empty") return void response.end();
  if (fault === "garbage") return void response.end("event: ?\ndata: {{{not json\n\n\0\ufffd<html>");
  const answer = { model: asked.model, behaviour: {}, inputTokens: 10 };
  response.write(format.open(answer));
  if (fault === "cut-at-once") return void response.destroy();
  for (let index = 0; index < WORDS; index += 1) {
    if (index === WORDS / 2) {
      if (fault === "cut") return void response.destroy();
      if (fault === "garbage-midway") return void response.end("data: {{{not json\n\n");
      if (fault === "hang") {
        await sleep(HANG_MS.long);
        return void response.destroy();
      }
    }
    if (fault === "slow") await sleep(HANG_MS.short / WORDS);
    if (response.destroyed) return;
    response.write(format.token(index === 0 ? "w0" : ` w${index}`, answer));
  }
  response.end(format.close(answer, WORDS));
}

export async function startFaultyModel(seed: string): Promise<FaultyModel> {
  const vendor = new Vendor(seed);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    vendor.answer(request, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The model server has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    setFaultShare: (share) => {
      vendor.share = share;
    },
    counts: () => ({ ...vendor.counts }),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
