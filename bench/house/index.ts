/**
 * The Worker that the measurements run: the shipped one, with a bare object beside it to compare with, objects that
 * count their lives, and a few routes of its own below `/api/bench/`. Never deployed.
 */
import { DurableObject } from "cloudflare:workers";
import { Conversation as ShippedConversation } from "../../durable-objects/conversation/object.ts";
import { servicesFor } from "../../durable-objects/services-for.ts";
import { type Bindings, conversationObject } from "../../durable-objects/stubs.ts";
import type { Message } from "../../shared/contract/message.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import shipped from "../../workers/index.ts";

export { Connector } from "../../durable-objects/connector/object.ts";
export { ProviderHealth } from "../../durable-objects/provider-health/object.ts";
export { ProviderLogin } from "../../durable-objects/provider-login/object.ts";

type Handler = Required<Pick<typeof shipped, "fetch" | "queue" | "scheduled">>;
type Env = Parameters<Handler["fetch"]>[1] & Bindings & { BARE: DurableObjectNamespace };

const counts = { constructed: 0, alarms: 0, bareConstructed: 0 };
const lives = new Map<string, number>();

/** The shipped object; it only tells how often it was woken. */
export class Conversation extends ShippedConversation {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    counts.constructed++;
    const name = ctx.id.name ?? "";
    lives.set(name, (lives.get(name) ?? 0) + 1);
  }

  override alarm(): void {
    counts.alarms++;
    super.alarm();
  }
}

/** As little object as can acknowledge a durable row: hibernating sockets, one table, one insert for each message. */
export class BareObject extends DurableObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    counts.bareConstructed++;
    ctx.storage.sql.exec("create table if not exists rows (id text primary key, body text not null)");
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const { id } = JSON.parse(String(data)) as { id: string };
    this.ctx.storage.sql.exec("insert into rows (id, body) values (?, ?)", id, String(data));
    socket.send(JSON.stringify({ type: "ack", id }));
  }
}

interface SeedRequest {
  userId: string;
  workspaceId: string;
  conversationId: string;
  messages: number;
}

/** Fills a conversation that has no event yet, past the vendor and past Postgres: its outbox has all of it to bring. */
async function seed(env: Env, { userId, workspaceId, conversationId, messages }: SeedRequest): Promise<Response> {
  const principal: Principal = {
    userId,
    name: "Bench",
    credentialId: crypto.randomUUID(),
    credential: "session",
    workspaces: [{ id: workspaceId, role: "owner" }],
    isInstanceAdmin: false,
    expiresAt: "2999-01-01T00:00:00.000Z",
  };
  const object = conversationObject(env, conversationId);
  const described = await object.describe(principal);
  if (!described.ok) return Response.json(described.error, { status: 400 });
  const made = manyMessages(messages, userId);
  const created = await object.create(principal, described.value, { messages: made, headId: made.at(-1)?.id ?? null });
  return created.ok ? Response.json({}) : Response.json(created.error, { status: 400 });
}

function manyMessages(count: number, authorUserId: string): Message[] {
  const createdAt = new Date().toISOString();
  const ids = Array.from({ length: count }, () => crypto.randomUUID() as string);
  return ids.map((id, index) => ({
    id,
    seq: index + 1,
    updatedSeq: index + 1,
    parentId: ids[index - 1] ?? null,
    role: index % 2 === 0 ? "user" : "assistant",
    parts: [{ type: "text", text: `Message ${index}: as long as a short sentence that somebody types into a chat.` }],
    metadata: index % 2 === 0 ? { authorUserId } : { provider: "anthropic", model: "fake", finishReason: "stop" },
    createdAt,
  }));
}

/** `<connector>/<owner>/<upstream>/<path>`: what a provider's adapter asks of a machine, without the adapter. */
async function askMachine(request: Request, env: Env, path: string): Promise<Response> {
  const [connectorId = "", ownerUserId = "", upstream = "", ...rest] = path.split("/");
  const asked = new Request(`http://connector.invalid/${rest.join("/")}${new URL(request.url).search}`, request);
  return await servicesFor(env).connectorGateway.fetch({ connectorId, ownerUserId, upstream }, asked);
}

async function benchRoute(request: Request, env: Env, path: string): Promise<Response> {
  if (path.startsWith("bare/")) return await env.BARE.get(env.BARE.idFromName(path)).fetch(request);
  if (path.startsWith("machine/")) return await askMachine(request, env, path.slice("machine/".length));
  if (path === "seed") return await seed(env, (await request.json()) as SeedRequest);
  if (path.startsWith("lives/")) return Response.json(lives.get(path.slice("lives/".length)) ?? 0);
  if (path === "gc") (globalThis as { gc?: () => void }).gc?.();
  return Response.json(counts);
}

const PREFIX = "/api/bench/";

export default {
  ...shipped,
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(PREFIX)) return shipped.fetch(request, env);
    return benchRoute(request, env, pathname.slice(PREFIX.length));
  },
} satisfies ExportedHandler<Env>;
