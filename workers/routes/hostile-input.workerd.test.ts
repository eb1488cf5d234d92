import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { memoryEdge, problemIn } from "../testing/memory-edge.ts";
import { paramNames } from "./path-params.ts";
import { routes, routeTable } from "./route-table.ts";

const UUID = "0190aaaa-0000-7000-8000-00000000abcd";
const withIds = (path: string, id: string) => path.replaceAll(/\{\w+\}/g, id);
const written = routes.filter(({ body }) => body !== undefined);
const owned = routes.filter(({ signIn }) => signIn === "required");

/** An edge with one conversation of alice's; `at` is a route's address within it. */
async function house() {
  const edge = memoryEdge();
  const conversation = await edge.create();
  const at = (path: string) =>
    path.startsWith("/api/workspaces")
      ? withIds(path, "aaaaaaaa-0000-7000-8000-000000000002")
      : withIds(path.replace("{kind}", "openrouter").replace("{id}", conversation), UUID);
  return { ...edge, at };
}

describe.each(written.map((route) => ({ route, name: route.operationId })))("$name", ({ route }) => {
  const method = route.method.toUpperCase();

  test.each([
    ["half a JSON object", '{"a":', "invalid_json"],
    ["no JSON at all", "hello", "invalid_json"],
    ["an array", "[]", "invalid_request"],
    ["a string", '"text"', "invalid_request"],
    ["null", "null", "invalid_request"],
    ["a field that nobody knows", '{"surprise":1}', "unknown_field"],
    ["a thousand nested arrays", `${"[".repeat(1000)}${"]".repeat(1000)}`, "invalid_request"],
  ])("refuses %s as %s", async (_name, body, code) => {
    const { ask, at } = await house();
    expect(await problemIn(await ask(at(route.path), { method, body }))).toMatchObject({ status: 400, code });
  });

  test("names the field that it does not know", async () => {
    const { ask, at } = await house();
    const problem = await problemIn(await ask(at(route.path), { method, body: { surprise: 1 } }));
    expect(problem.errors).toContainEqual({ path: "surprise", message: expect.any(String) });
  });

  test("refuses invalid UTF-8, other types and too much", async () => {
    const { ask, at, fetch } = await house();
    const send = (body: BodyInit, type: string) =>
      fetch(
        new Request(`https://mosaic.test${at(route.path)}`, {
          method,
          body,
          headers: { authorization: "Bearer alice", "content-type": type },
        }),
      );
    expect(await problemIn(await send(new Uint8Array([0x7b, 0xff, 0x7d]), "application/json"))).toMatchObject({
      code: "invalid_json",
    });
    expect(await problemIn(await send("a=b", "application/x-www-form-urlencoded"))).toMatchObject({ status: 415 });
    expect(
      await problemIn(await ask(at(route.path), { method, body: "{}", headers: { "content-type": "text/plain" } })),
    ).toMatchObject({ status: 415 });
    const tooMuch = `{"text":"${"x".repeat(route.maxBodyBytes ?? 1024 * 1024)}"}`;
    expect(await problemIn(await send(tooMuch, "application/json"))).toMatchObject({ status: 413, code: "too_large" });
    const undeclared = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(tooMuch));
        controller.close();
      },
    });
    expect(await problemIn(await send(undeclared, "application/json"))).toMatchObject({
      status: 413,
      code: "too_large",
    });
  });

  test("survives any JSON, and every refusal is a problem", async () => {
    const { ask, at } = await house();
    const known = fc.record(
      {
        id: fc.anything(),
        text: fc.string({ unit: "binary" }),
        parts: fc.anything(),
        title: fc.string({ unit: "binary" }),
        model: fc.anything(),
        name: fc.anything(),
        settings: fc.dictionary(fc.string(), fc.jsonValue()),
        messageId: fc.constantFrom(UUID, "x", 7),
        turnId: fc.anything(),
        whenBusy: fc.anything(),
        kind: fc.constantFrom("anthropic", "ollama", "openai-compatible", "guide", 7),
        displayName: fc.string({ unit: "binary" }),
        scope: fc.constantFrom("user", "workspace", "system", "all"),
        workspaceId: fc.constantFrom(UUID, "x"),
        config: fc.oneof(
          fc.anything(),
          fc.record(
            {
              baseUrl: fc.oneof(fc.webUrl(), fc.string({ unit: "binary" }), fc.constant(null)),
              connectorId: fc.constantFrom(UUID, "x", null),
              upstream: fc.string({ unit: "binary" }),
              headers: fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })),
            },
            { requiredKeys: [] },
          ),
        ),
        credential: fc.oneof(fc.anything(), fc.record({ apiKey: fc.string({ unit: "binary" }) })),
        isDefault: fc.anything(),
        providerId: fc.anything(),
        url: fc.string({ unit: "binary" }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), known), async (body) => {
        const text = JSON.stringify(body, (_key, value: unknown) =>
          typeof value === "bigint" ? String(value) : value,
        );
        if (text === undefined) return;
        const response = await ask(at(route.path), { method, body: text });
        expect(response.status).toBeLessThan(500);
        if (response.status >= 400) await problemIn(response);
        else await response.body?.cancel();
      }),
      { numRuns: 40 },
    );
  });
});

describe("ids", () => {
  const ids = [
    "x",
    "1",
    "0190aaaa-0000-7000-8000-00000000abc",
    "%00",
    "..%2f..%2fme",
    "🎈",
    "' or 1=1 --",
    "0".repeat(5000),
  ];

  test.each(
    owned.filter(({ path }) => paramNames(path).length > 0).map((route) => ({ route, name: route.operationId })),
  )("$name answers 404 to malformed ones", async ({ route }) => {
    const { ask } = memoryEdge();
    for (const id of ids) {
      const response = await ask(withIds(route.path, encodeURIComponent(id)), {
        method: route.method.toUpperCase(),
        ...(route.body ? { body: {} } : {}),
      });
      expect([id, (await problemIn(response)).code]).toEqual([id, "not_found"]);
    }
  });

  test.each(owned.map((route) => ({ route, name: route.operationId })))(
    "$name wants a sign-in first",
    async ({ route }) => {
      const { ask } = memoryEdge();
      const response = await ask(withIds(route.path, "x"), { as: null, method: route.method.toUpperCase() });
      expect(await problemIn(response)).toMatchObject({ status: 401, code: "unauthenticated" });
    },
  );

  test("stand in the table wherever a path, a query or a body takes one", () => {
    for (const { path, ids: listed, words } of routes) {
      const inPath = listed.filter((id) => id.in === "path").map(({ name }) => name);
      expect([path, inPath]).toEqual([path, paramNames(path).filter((name) => !(name in words))]);
    }
    const fields = routes.flatMap(({ query, body, operationId }) =>
      [query, body].flatMap((schema) =>
        Object.keys((schema && "shape" in schema && typeof schema.shape === "object" && schema.shape) || {})
          .filter((key) => /^id$|Id$/.test(key))
          .map((key) => `${operationId} ${key}`),
      ),
    );
    const listed = routeTable.flatMap(({ operationId, ids: all }) => all.map(({ name }) => `${operationId} ${name}`));
    expect(listed).toEqual(expect.arrayContaining(fields));
  });
});

describe("queries", () => {
  test.each([
    ["/api/conversations?limit=0", "limit"],
    ["/api/conversations?limit=201", "limit"],
    ["/api/conversations?limit=ten", "limit"],
    ["/api/conversations?limit=1e999", "limit"],
    ["/api/conversations?workspaceId=x", "workspaceId"],
    ["/api/providers?limit=0", "limit"],
    ["/api/providers?workspaceId=x", "workspaceId"],
    ["/api/providers?surprise=1", "surprise"],
    ["/api/models?cursor=x", "cursor"],
    ["/api/models?limit=201", "limit"],
    ["/api/connectors?limit=-1", "limit"],
    ["/api/conversations?surprise=1", "surprise"],
    [`/api/conversations/${UUID}/messages?after=-1`, "after"],
    [`/api/conversations/${UUID}/messages?branches=some`, "branches"],
    [`/api/conversations/${UUID}/export?format=pdf`, "format"],
  ])("%s is a 400 that names `%s`", async (path, field) => {
    const problem = await problemIn(await memoryEdge().ask(path));
    expect(problem.status).toBe(400);
    expect(problem.errors?.map((error) => error.path)).toContain(field);
  });

  test("with a cursor that is none of ours are a 400", async () => {
    const { ask } = memoryEdge();
    for (const cursor of ["nonsense", "%00", "%F0%9F%8E%88", "x".repeat(600)]) {
      expect([cursor, (await ask(`/api/conversations?cursor=${cursor}`)).status]).toEqual([cursor, 400]);
    }
  });
});

describe("headers", () => {
  test.each(["image/png", "*/*;q=0", "", "text/html, text/*;q=0.1", "💥".repeat(3)])(
    "an `Accept` of %j still gets JSON",
    async (accept) => {
      const { ask } = memoryEdge();
      const response = await ask("/api/me", { headers: { accept: encodeURI(accept) } });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    },
  );

  test.each([" ", "a b", "x".repeat(256)])("an `Idempotency-Key` of %j is a 400 that names it", async (key) => {
    const { ask } = memoryEdge();
    const response = await ask("/api/conversations", {
      method: "POST",
      body: {},
      headers: { "idempotency-key": encodeURI(key) === key ? key : `a${key}b` },
    });
    expect(await problemIn(response)).toMatchObject({ status: 400, errors: [{ path: "Idempotency-Key" }] });
  });

  test("never make a failure of ours", async () => {
    const log = vi.spyOn(console, "error");
    const { ask } = memoryEdge();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          "if-match",
          "accept",
          "authorization",
          "cookie",
          "origin",
          "last-event-id",
          "idempotency-key",
          "content-type",
          "x-request-id",
          "traceparent",
          "upgrade",
        ),
        fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
        async (name, value) => {
          const response = await ask("/api/conversations", { method: "POST", body: "{}", headers: { [name]: value } });
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
    expect(log).not.toHaveBeenCalled();
  });
});
