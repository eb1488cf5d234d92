import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import { lockFolder } from "../../selfhost/database/folder-lock.ts";
import { ServerFrame, SUBPROTOCOL } from "../../shared/contract/frames.ts";
import { makeDataDir, type Stack, startStack } from "../../shared/testing/node/stack.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Headers = Record<string, string>;

let dataDir: string;
let stack: Stack;
let bearer: Headers;
let cookie: Headers;
beforeAll(async () => {
  dataDir = await makeDataDir();
  stack = await startStack({ dataDir });
  const account = { name: "Ada", email: "ada@example.com", password: "a long enough password" };
  const signedUp = await fetch(`${stack.url}/api/auth/sign-up/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: stack.url },
    body: JSON.stringify(account),
  });
  const { token } = z.object({ token: z.string() }).parse(await signedUp.json());
  bearer = { authorization: `Bearer ${token}` };
  cookie = { cookie: signedUp.headers.get("set-cookie")?.split(";")[0] ?? "", origin: stack.url };
});
afterAll(async () => {
  await stack?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const ask = (path: string, headers: Headers, body?: object): Promise<Response> =>
  fetch(`${stack.url}${path}`, {
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });

/** Connects as anybody would, and keeps what is said. */
async function connect(conversationId: string, headers: Headers) {
  const url = `${stack.url.replace("http", "ws")}/api/conversations/${conversationId}/socket`;
  const socket = new WebSocket(url, [SUBPROTOCOL], { headers });
  const frames: ServerFrame[] = [];
  socket.on("message", (data) => frames.push(ServerFrame.parse(JSON.parse(String(data)))));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const client = { name: "test", version: "1", kind: "api" };
  socket.send(JSON.stringify({ type: "hello", protocol: 1, client, since: 0 }));
  return {
    frames,
    send: (text: string) =>
      socket.send(JSON.stringify({ type: "message:send", id: crypto.randomUUID(), text, whenBusy: "queue" })),
    answers: () => frames.filter((frame) => frame.type === "event" && frame.event.type === "turn:completed").length,
    isOffline: () =>
      frames.some(
        (frame) =>
          (frame.type === "session:info" && frame.storage === "offline") ||
          (frame.type === "welcome" && frame.session.storage === "offline"),
      ),
    end: () => socket.terminate(),
  };
}

async function aConversation(): Promise<string> {
  const { id } = z.object({ id: z.string() }).parse(await (await ask("/api/conversations", bearer, {})).json());
  await sleep(300); // the object writes down who was there in the background
  return id;
}

async function expectAway(path: string, body?: object): Promise<void> {
  const began = Date.now();
  const response = await ask(path, bearer, body);
  const problem = z.object({ code: z.string(), detail: z.string() }).parse(await response.json());
  expect([path, response.status, problem.code]).toEqual([path, 503, "database_unavailable"]);
  expect([path, Date.now() - began < 3_500]).toEqual([path, true]);
}

const Listed = z.object({ items: z.array(z.object({ id: z.string(), headId: z.string().nullable() })) });

/** What Postgres holds of the conversation has come as far as the log: its last row is there, and rows come in order. */
async function expectCaughtUp(id: string): Promise<void> {
  const { headId } = z
    .object({ headId: z.string() })
    .parse(await (await ask(`/api/conversations/${id}`, bearer)).json());
  const listed = async (): Promise<string | null | undefined> => {
    const response = await ask("/api/conversations", bearer);
    return response.ok ? Listed.parse(await response.json()).items.find((each) => each.id === id)?.headId : undefined;
  };
  await expect.poll(listed, { timeout: 60_000, interval: 250 }).toBe(headId);
}

describe("with the database process gone", () => {
  it("a conversation goes on, over a restart of the runtime too, and its rows follow when it is back", async () => {
    const id = await aConversation();
    await stack.kill9("database");
    // Who holds the folder keeps it from starting again.
    const lock = lockFolder(join(dataDir, "database"));
    try {
      const byBearer = await connect(id, bearer);
      byBearer.send("still there?");
      await expect.poll(byBearer.answers, { timeout: 10_000 }).toBe(1);
      await expect.poll(byBearer.isOffline, { timeout: 10_000 }).toBe(true);
      byBearer.end();
      await expectAway("/api/conversations");
      await expectAway("/api/conversations", {});
      await expectAway("/api/me");
      await stack.kill9("workerd");
      await expect
        .poll(async () => (await ask(`/api/conversations/${id}/messages`, bearer).catch(() => null))?.status, {
          timeout: 15_000,
        })
        .toBe(200);
      const byCookie = await connect(id, cookie);
      byCookie.send("and now?");
      await expect.poll(byCookie.answers, { timeout: 10_000 }).toBe(2);
      byCookie.end();
    } finally {
      lock.release();
    }
    await expectCaughtUp(id);
  });
});

describe("with the database process hung", () => {
  it("a conversation goes on, lists say so soon, and its rows follow when it wakes", async () => {
    const id = await aConversation();
    const { database = 0 } = stack.pids();
    process.kill(database, "SIGSTOP");
    try {
      await expectAway("/api/conversations");
      const socket = await connect(id, bearer);
      socket.send("anybody?");
      await expect.poll(socket.answers, { timeout: 10_000 }).toBe(1);
      socket.end();
      expect((await ask(`/api/conversations/${id}/messages`, cookie)).status).toBe(200);
    } finally {
      process.kill(database, "SIGCONT");
    }
    await expectCaughtUp(id);
  });
});
