import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProtocolServer } from "../testing/node/protocol-server.ts";
import { createApiClient } from "./api-client.ts";
import type { Fetch } from "./http.ts";

let server: ProtocolServer;
beforeAll(async () => {
  server = await new ProtocolServer().start();
});
afterAll(() => server.stop());

interface Asked {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** An API client whose one answer is given; what it asked is kept. */
function answering(status: number, body: unknown) {
  const asked: Asked[] = [];
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const fetch: Fetch = async (url, { method, headers, body: sent }) => {
    asked.push({ url, method, headers, body: sent });
    return { ok: status < 400, status, text: async () => text };
  };
  return { api: createApiClient({ baseUrl: "http://mosaic.test/", fetch }), asked };
}

describe("against a server", () => {
  test("answers are parsed values", async () => {
    const api = createApiClient({ baseUrl: server.url, token: server.token });
    expect((await api.me()).user.name).toBe("Ada");
    const { id } = await api.conversations.create({ title: "A talk" });
    expect(await api.conversations.get(id)).toMatchObject({ id, title: "A talk" });
    expect((await api.conversations.list({ limit: 1 })).items).toHaveLength(1);
    const messageId = randomUUID();
    expect(await api.messages.send(id, { id: messageId, text: "hi" })).toMatchObject({ messageId, state: "started" });
  });

  test("a problem is one error with code, status and sentence", async () => {
    const api = createApiClient({ baseUrl: server.url, token: "wrong" });
    await expect(api.me()).rejects.toMatchObject({ code: "unauthenticated", status: 401, message: "Sign in first." });
  });

  test("no answer at all is a sentence that names the address", async () => {
    const api = createApiClient({ baseUrl: "http://127.0.0.1:9", token: "t" });
    await expect(api.me()).rejects.toMatchObject({
      code: "network",
      retryable: true,
      message: expect.stringContaining("http://127.0.0.1:9"),
    });
  });
});

describe("whatever comes", () => {
  const problem = {
    type: "about:blank",
    title: "Bad",
    status: 400,
    detail: "`title`: too long",
    code: "invalid_request",
    requestId: "r",
    retryable: false,
  };

  test("field errors are kept", async () => {
    const errors = [{ path: "title", message: "too long" }];
    const { api } = answering(400, { ...problem, errors });
    await expect(api.conversations.create({ title: "x" })).rejects.toMatchObject({ code: "invalid_request", errors });
  });

  test.each([
    ["HTML of a proxy", 502, "<html>Bad gateway</html>", { code: "unexpected", status: 502, retryable: true }],
    ["an unknown code", 404, { ...problem, code: "from_the_future" }, { code: "not_found", status: 404 }],
    ["text where JSON should be", 200, "hello", { code: "unexpected" }],
    [
      "JSON of another shape",
      200,
      { items: "none" },
      { code: "unexpected", message: expect.stringContaining("items") },
    ],
  ])("%s is an ApiError", async (_, status, body, expected) => {
    const { api } = answering(status, body);
    await expect(api.conversations.list()).rejects.toMatchObject({ name: "ApiError", ...expected });
  });

  test("ids cannot leave their place in the path, versions and queries go where they belong", async () => {
    const { api, asked } = answering(204, "");
    await api.conversations.remove("../me?x=1#y", { ifVersion: 3 });
    expect(asked[0]).toMatchObject({
      url: "http://mosaic.test/api/conversations/..%2Fme%3Fx%3D1%23y",
      method: "DELETE",
      headers: { "if-match": '"3"' },
      body: undefined,
    });
    const listing = answering(200, { items: [], nextCursor: null });
    await listing.api.conversations.list({ limit: 5, cursor: "a b" });
    expect(listing.asked[0]?.url).toBe("http://mosaic.test/api/conversations?limit=5&cursor=a+b");
    expect(listing.asked[0]?.headers).not.toHaveProperty("authorization");
  });
});

test("a list that comes in pages is read to its end", async () => {
  const model = (id: string) => ({
    ...{ providerId: "p", provider: "openai", id, name: id, tier: "standard", contextWindow: null, prices: null },
    ...{ maxOutputTokens: null, aliases: [], health: "unknown", source: "test", asOf: "2026-11-21" },
    capabilities: { tools: true, vision: false, streaming: true, reasoning: false, embedding: false },
  });
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(new URL(url).search);
    const last = url.includes("cursor=next");
    const page = last ? { items: [model("b")], nextCursor: null } : { items: [model("a")], nextCursor: "next" };
    return { ok: true, status: 200, text: async () => JSON.stringify(page) };
  };
  const models = await createApiClient({ baseUrl: "http://mosaic.test", fetch }).models.list();
  expect(models.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(asked).toEqual(["?limit=200", "?limit=200&cursor=next"]);
});
