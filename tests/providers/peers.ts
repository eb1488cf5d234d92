/**
 * The five vendors, each a server that others wrote from the vendor's documentation, which can be broken as that server
 * breaks: its own error bodies, an answer cut after a few pieces, one that never begins, a port that nobody listens at.
 */
import { LLMock } from "@copilotkit/aimock";
import type { ConnectableKind } from "../../shared/contract/provider.ts";
import { freePort } from "../../shared/testing/node/stack.ts";

export type Fault = "401" | "429" | "500" | "refused" | "hang" | "cut";

export interface Peer {
  kind: ConnectableKind;
  name: string;
  model: string;
  baseUrl: string;
  /** What it answers while it is well. */
  reply: string;
  /** From now on, until it is mended. */
  break(fault: Fault): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

type PeerKind = Exclude<ConnectableKind, "openai-compatible">;

const VENDORS: Readonly<Record<PeerKind, { name: string; model: string; path: string }>> = {
  anthropic: { name: "Anthropic", model: "claude-sonnet-4-6", path: "" },
  openai: { name: "OpenAI", model: "gpt-5.4", path: "/v1" },
  openrouter: { name: "OpenRouter", model: "openrouter/auto", path: "/api/v1" },
  zai: { name: "Z.ai", model: "glm-5", path: "/api/paas/v4" },
  ollama: { name: "Ollama", model: "llama3.2:3b", path: "" },
};
export const PEER_KINDS: readonly PeerKind[] = ["anthropic", "openai", "openrouter", "zai", "ollama"];

const REFUSALS = {
  "401": { status: 401, error: { message: "The key is not valid.", type: "authentication_error" } },
  "429": { status: 429, error: { message: "Too many requests.", type: "rate_limit_error" }, retryAfter: 20 },
  "500": { status: 500, error: { message: "Something broke.", type: "api_error" } },
} as const;
const PIECES_BEFORE_THE_CUT = 12;

/** The peer has no list at the path where Z.ai has it. */
function listModel(peer: LLMock, path: string, model: string): void {
  peer.mount(path, {
    handleRequest: async ({ method }, response) => {
      if (method !== "GET") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: model, object: "model" }] }));
      return true;
    },
  });
}

function breakAnswers(peer: LLMock, match: { model: string }, fault: Exclude<Fault, "refused">, reply: string): void {
  if (fault === "hang") peer.on(match, () => new Promise(() => {}));
  else if (fault === "cut") peer.on(match, { content: reply }, { truncateAfterChunks: PIECES_BEFORE_THE_CUT });
  else peer.on(match, REFUSALS[fault]);
}

export async function startPeer(kind: PeerKind): Promise<Peer> {
  const { name, model, path } = VENDORS[kind];
  const reply = `This is ${name}: an answer of its own, in a number of pieces, and whole to its very last word.`;
  const port = await freePort();
  const peer = new LLMock({ port, logLevel: "silent", chunkSize: 4, latency: 10 });
  const match = { model };
  if (kind === "zai") listModel(peer, `${path}/models`, model);
  peer.on(match, { content: reply });
  await peer.start();
  let isListening = true;
  const stop = async (): Promise<void> => {
    if (isListening) await peer.stop();
    isListening = false;
  };
  return {
    kind,
    name,
    model,
    baseUrl: `http://127.0.0.1:${port}${path}`,
    reply,
    break: async (fault) => {
      if (fault === "refused") return await stop();
      peer.clearFixtures();
      breakAnswers(peer, match, fault, reply);
    },
    mend: async () => {
      peer.clearFixtures().on(match, { content: reply });
      if (!isListening) await peer.start();
      isListening = true;
    },
    close: stop,
  };
}
