/** Someone with an account and no business here: tries every door of other people's conversations, all the time. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import type { Violation } from "./check-history.ts";
import type { People } from "./people.ts";
import { SqlRefusal, type Statement, type World } from "./world.ts";

const PAUSE_MS = 120;

interface Door {
  name: string;
  path: string;
  method: string;
  body?: object;
}

const doorsOf = (id: string): Door[] => [
  { name: "read", path: `/api/conversations/${id}`, method: "GET" },
  { name: "messages", path: `/api/conversations/${id}/messages?branches=all`, method: "GET" },
  { name: "events", path: `/api/conversations/${id}/events?after=0`, method: "GET" },
  { name: "export", path: `/api/conversations/${id}/export?format=json`, method: "GET" },
  { name: "send", path: `/api/conversations/${id}/messages`, method: "POST", body: { text: "let me in" } },
  { name: "rename", path: `/api/conversations/${id}`, method: "PATCH", body: { title: "mine now" } },
  { name: "stop", path: `/api/conversations/${id}/stop`, method: "POST", body: {} },
];

/** Statements as the stranger that would change what is not theirs; each must be refused or touch nothing. */
function probesOf(conversationId: string, people: People): { name: string; statement: Statement }[] {
  const tenant = [conversationId, people.workspaceId, people.owner.userId];
  const insert = (table: string, columns: string, values: string, params: string[]) => ({
    name: `insert into ${table}`,
    statement: {
      query: `insert into ${table} (conversation_id, workspace_id, owner_user_id, visibility, ${columns})
        values ($1, $2, $3, 'workspace', ${values})`,
      params: [...tenant, ...params],
    },
  });
  return [
    insert(
      "messages",
      "id, seq, updated_seq, role, parts, metadata, text, created_at",
      "$4, 900000, 900000, 'user', '[]', '{}', '', now()",
      [randomUUID()],
    ),
    insert("conversation_events", "seq, at, event", `900000, now(), '{"type":"title:changed","title":"mine"}'`, []),
    insert(
      "turns",
      "id, message_id, reply_to, receipt_id, state, started_seq, updated_seq, started_at",
      "$4, $4, $4, $4, 'running', 1, 1, now()",
      [randomUUID()],
    ),
    insert("receipts", "id, turn_id, message_id, receipt, created_at", "$4, $4, $4, '{}', now()", [randomUUID()]),
    {
      name: "insert into conversations",
      statement: {
        query: `insert into conversations (id, workspace_id, owner_user_id, visibility, title, created_at, updated_at)
          values ($1, $2, $3, 'private', 'mine', now(), now())`,
        params: [randomUUID(), people.workspaceId, people.owner.userId],
      },
    },
    {
      name: "update messages",
      statement: {
        query: "update messages set text = 'mine' where conversation_id = $1 returning id",
        params: [conversationId],
      },
    },
    {
      name: "update conversations",
      statement: {
        query: "update conversations set title = 'mine' where id = $1 returning id",
        params: [conversationId],
      },
    },
    {
      name: "read messages",
      statement: { query: "select id from messages where conversation_id = $1", params: [conversationId] },
    },
  ];
}

/** What a bad wire says, and says nothing about rights. */
const NO_VERDICT = new Set(["57P01", "53300", "40001"]);
const FORBIDDEN = "42501";

export class Stranger {
  readonly violations: Violation[] = [];
  tries = 0;
  refusals = 0;
  readonly #world: World;
  readonly #people: People;
  #stopped = false;

  constructor(world: World, people: People) {
    this.#world = world;
    this.#people = people;
  }

  async run(conversationIds: readonly string[]): Promise<void> {
    for (let round = 0; !this.#stopped; round += 1) {
      const id = conversationIds[round % conversationIds.length] ?? "";
      const doors = doorsOf(id);
      const door = doors[round % doors.length];
      const probes = probesOf(id, this.#people);
      const probe = probes[round % probes.length];
      if (door) await this.#knock(id, door);
      if (round % 3 === 0) await this.#attach(id);
      if (probe) await this.#probe(id, probe.name, probe.statement);
      await sleep(PAUSE_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #saw(conversationId: string, detail: string): void {
    this.violations.push({ rule: "stranger-sees-nothing", conversationId, detail });
  }

  async #knock(id: string, { name, path, method, body }: Door): Promise<void> {
    try {
      const response = await fetch(`${this.#world.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#people.stranger.token}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      this.#judge(id, name, response.status);
    } catch {
      // Nobody answered, so nothing was told.
    }
  }

  #judge(id: string, name: string, status: number): void {
    this.tries += 1;
    if (status === 404) this.refusals += 1;
    else if (status < 500) this.#saw(id, `${name}: answered ${status}`);
  }

  #attach(id: string): Promise<void> {
    const { token } = this.#people.stranger;
    const socket = new WebSocket(
      `${this.#world.url.replace("http", "ws")}/api/conversations/${id}/socket`,
      SUBPROTOCOL,
      {
        headers: { authorization: `Bearer ${token}` },
        handshakeTimeout: 10_000,
      },
    );
    return new Promise((resolve) => {
      socket.on("unexpected-response", (request, response) => {
        this.#judge(id, "socket", response.statusCode ?? 0);
        request.destroy();
        resolve();
      });
      socket.on("message", (data) => this.#saw(id, `socket: ${String(data).slice(0, 200)}`));
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.on("open", () => {
        socket.send(
          JSON.stringify({ type: "hello", protocol: 1, client: { name: "x", version: "1", kind: "api" }, since: 0 }),
        );
        setTimeout(() => socket.close(), 500);
      });
    });
  }

  async #probe(id: string, name: string, statement: Statement): Promise<void> {
    const { userId } = this.#people.stranger;
    const scope = { query: "select set_config('app.user_id', $1, true)", params: [userId] };
    try {
      const [, rows = []] = await this.#world.sql("app_user", [scope, statement]);
      this.tries += 1;
      if (name.startsWith("insert") || rows.length > 0) this.#saw(id, `SQL: ${name} was let through`);
      else this.refusals += 1;
    } catch (error) {
      if (!(error instanceof SqlRefusal) || NO_VERDICT.has(error.code)) return;
      this.tries += 1;
      if (error.code === FORBIDDEN) this.refusals += 1;
      else this.#saw(id, `SQL: ${name} was refused for another reason than rights: ${error.code} ${error.message}`);
    }
  }
}
