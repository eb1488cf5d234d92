import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient } from "../../shared/client/api-client.ts";
import { textOf } from "../../shared/contract/message.ts";
import { freePort, makeDataDir, type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TOKENS = 60;
const WHOLE = Array.from({ length: TOKENS }, (_each, index) => `t${index}`).join(" ");

let models: FakeModelServer;
let dataDir: string;
let port: number;
let stack: Stack;
let api: ReturnType<typeof createApiClient>;

const start = async (): Promise<void> => {
  const env = { ANTHROPIC_BASE_URL: models.url, ANTHROPIC_API_KEY: "test-key" };
  stack = await startStack({ dataDir, port, env });
};

beforeAll(async () => {
  models = await startFakeModelServer({ tokens: TOKENS, delayMs: 40 });
  dataDir = await makeDataDir();
  port = await freePort();
  await start();
  const account = { name: "Ada", email: "ada@example.com", password: "a long enough password" };
  const headers = { "content-type": "application/json", origin: stack.url };
  const signedUp = await fetch(`${stack.url}/api/auth/sign-up/email`, {
    method: "POST",
    headers,
    body: JSON.stringify(account),
  });
  const { token } = (await signedUp.json()) as { token: string };
  api = createApiClient({ baseUrl: stack.url, token });
});

afterAll(async () => {
  await stack?.stop();
  await models?.close();
  if (dataDir) rmSync(dataDir, { recursive: true, force: true });
});

/** Every process of the stack, in the same moment as far as that can be had. */
async function killEverything(): Promise<void> {
  await Promise.all([stack.kill9("workerd"), stack.kill9("database"), stack.kill9("runner")]);
}

describe("SIGKILL of every process", () => {
  it.each([
    ["at the moment of the acknowledgement", 0],
    ["early in the answer", 500],
    ["late in the answer", 1_800],
  ])("%s loses neither the message nor its answer", async (_when, afterMs) => {
    const { id } = await api.conversations.create({});
    const earlier = randomUUID();
    models.next({ reply: "noted" });
    await api.messages.send(id, { id: earlier, text: "the first thing" });
    await expect
      .poll(async () => (await api.messages.list(id)).items[1]?.metadata.finishReason, { timeout: 10_000 })
      .toBe("stop");

    const messageId = randomUUID();
    const accepted = await api.messages.send(id, { id: messageId, text: "the second thing" });
    await sleep(afterMs);
    await killEverything();
    await start();

    const ended = async (): Promise<string | undefined> =>
      (await api.messages.list(id)).items[3]?.metadata.finishReason;
    await expect.poll(ended, { timeout: 60_000, interval: 250 }).toBe("stop");
    const { items } = await api.messages.list(id);
    expect(items.map((message) => message.role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(items.map((message) => message.seq)).toEqual(items.map((message) => message.seq).toSorted((a, b) => a - b));
    expect(items[0]).toMatchObject({ id: earlier });
    expect(items[2]).toMatchObject({ id: messageId, seq: accepted.seq });
    // What was shown before the cut stays, and the model goes on behind it.
    expect(textOf(items[3]?.parts ?? []).startsWith(WHOLE.slice(0, 5))).toBe(true);
    // A repetition, as a client makes it that never saw the answer, changes nothing.
    const again = await api.messages.send(id, { id: messageId, text: "the second thing" });
    expect(again.seq).toBe(accepted.seq);
    expect((await api.messages.list(id)).items).toHaveLength(4);
    // The copy in Postgres catches up: the list is made from it.
    const listed = async () => (await api.conversations.list()).items.find((each) => each.id === id)?.headId;
    await expect.poll(listed, { timeout: 10_000 }).toBe(items[3]?.id);
  });
});
