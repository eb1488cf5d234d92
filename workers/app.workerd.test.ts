import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { createApp } from "./app.ts";
import { memoryEdge, problemIn } from "./testing/memory-edge.ts";
import { memoryProviders } from "./testing/memory-providers.ts";
import { ALLOWED_ORIGIN, PUBLIC_URL } from "./testing/memory-services.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const COOKIE = { cookie: "session=alice" };

describe("every answer", () => {
  const { ask } = memoryEdge();

  test.each(["/health/live", "/api/me", "/api/nowhere", "/v1/models", "/mcp", "/hooks/x", "/api/auth/session"])(
    "%s names its request",
    async (path) => {
      expect((await ask(path, { as: null })).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test("keeps a sane request id and replaces one that could forge a log line", async () => {
    const kept = await ask("/health/live", { headers: { "x-request-id": "client-chosen-1" } });
    expect(kept.headers.get("x-request-id")).toBe("client-chosen-1");
    const replaced = await ask("/health/live", { headers: { "x-request-id": "a b {}\\n" } });
    expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("continues a trace with a span of its own, and only a valid one", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const valid = await ask("/health/live", { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } });
    expect(valid.headers.get("traceparent")).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    const invalid = await ask("/health/live", { headers: { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` } });
    expect(invalid.headers.has("traceparent")).toBe(false);
  });

  test("carries the security headers", async () => {
    const { headers } = await ask("/api/me");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("strict-transport-security")).toContain("max-age");
  });
});

describe("addresses", () => {
  const { ask } = memoryEdge();

  test("that do not exist are a 404 problem", async () => {
    const problem = await problemIn(await ask("/api/nowhere"));
    expect(problem).toMatchObject({ status: 404, code: "not_found", retryable: false });
  });

  test("that know other methods are a 405 which names them", async () => {
    const response = await ask("/api/conversations", { method: "PUT", body: {} });
    expect(response.headers.get("allow")).toBe("POST, GET, HEAD");
    expect(await problemIn(response)).toMatchObject({ status: 405, code: "method_not_allowed" });
  });

  test("answer HEAD like GET, without a body", async () => {
    const response = await ask("/health/live", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("with broken percent-encoding are no fault of ours", async () => {
    expect((await ask("/api/conversations/%E0%A4%A")).status).toBe(404);
  });

  test("of sign-in are handed over whole", async () => {
    const response = await ask("/api/auth/sign-in/email", { method: "POST", body: { email: "a@b.c" }, as: null });
    expect(await response.text()).toBe("sign-in /api/auth/sign-in/email");
    expect(response.headers.getSetCookie()).toEqual(["session=alice; HttpOnly", "cache=1"]);
  });
});

describe("sign-in", () => {
  const { ask } = memoryEdge();

  test("is required, and says how", async () => {
    const response = await ask("/api/me", { as: null });
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await problemIn(response)).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  test("that has expired says so", async () => {
    expect(await problemIn(await ask("/api/me", { as: "expired" }))).toMatchObject({ status: 401, code: "expired" });
  });

  test.each([{ cookie: "session=alice" }, { "x-api-key": "alice" }, { authorization: "Bearer alice" }])(
    "works by %o",
    async (headers) => {
      expect((await ask("/api/me", { as: null, headers })).status).toBe(200);
    },
  );
});

describe("other origins", () => {
  const { ask, create } = memoryEdge();
  const write = (headers: Record<string, string>) =>
    ask("/api/conversations", { method: "POST", body: {}, as: null, headers });

  test("may not write with a visitor's cookie", async () => {
    const response = await write({ ...COOKIE, origin: "https://evil.test" });
    expect(await problemIn(response)).toMatchObject({ status: 403, code: "forbidden" });
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    expect((await write({ ...COOKIE, origin: "null" })).status).toBe(403);
    expect((await write({ ...COOKIE, "sec-fetch-site": "cross-site" })).status).toBe(403);
  });

  test.each([PUBLIC_URL, ALLOWED_ORIGIN])("but %s may, and may read the answer", async (origin) => {
    const response = await write({ ...COOKIE, origin });
    expect(response.status).toBe(201);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
    expect(response.headers.get("vary")).toContain("Origin");
  });

  test("may write with a bearer, which no browser sends by itself", async () => {
    expect((await write({ authorization: "Bearer alice", origin: "https://evil.test" })).status).toBe(201);
  });

  test("get a preflight's permission only where they belong to the instance", async () => {
    const preflight = (origin: string) =>
      ask("/api/conversations", {
        method: "OPTIONS",
        as: null,
        headers: { origin, "access-control-request-method": "POST" },
      });
    const friend = await preflight(ALLOWED_ORIGIN);
    expect(friend.status).toBe(204);
    expect(friend.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(friend.headers.get("access-control-allow-headers")).toContain("idempotency-key");
    expect((await preflight("https://evil.test")).headers.has("access-control-allow-methods")).toBe(false);
  });

  test("may not open a socket with a visitor's cookie, nor may an unnamed one", async () => {
    const id = await create();
    const open = (headers: Record<string, string>) =>
      ask(`/api/conversations/${id}/socket`, { as: null, headers: { ...COOKIE, upgrade: "websocket", ...headers } });
    expect((await open({ origin: "https://evil.test" })).status).toBe(403);
    expect((await open({})).status).toBe(403);
    expect((await open({ origin: PUBLIC_URL })).status).toBe(101);
  });
});

describe("health", () => {
  test("is ready while the built-in guide alone answers", async () => {
    const response = await memoryEdge().ask("/health/ready", { as: null });
    expect([response.status, await response.json()]).toMatchObject([200, { status: "ready" }]);
  });

  test("is degraded, and serves, while a provider is down", async () => {
    const down = {
      providerId: "anthropic",
      kind: "anthropic" as const,
      displayName: "Anthropic",
      state: "down" as const,
      since: new Date(0).toISOString(),
      latencyMs: null,
      checkedAt: null,
    };
    const { ask } = memoryEdge({ health: { ...memoryProviders().services.health, of: async () => [down] } });
    const response = await ask("/health/ready", { as: null });
    expect([response.status, await response.json()]).toMatchObject([200, { status: "degraded" }]);
  });

  test("is unready with 503 without a database", async () => {
    const { ask } = memoryEdge({ checkDatabase: async () => ({ ok: false, detail: "unreachable" }) });
    const response = await ask("/health/ready", { as: null });
    expect([response.status, await response.json()]).toMatchObject([503, { status: "unready" }]);
  });

  test("tells a broken configuration apart from a dead process", async () => {
    const app = createApp({
      services: () => {
        throw new Error("DATABASE_APP_URL is missing");
      },
      conversation: () => {
        throw new Error("unused");
      },
      connector: () => {
        throw new Error("unused");
      },
    });
    expect((await app.fetch(new Request("https://mosaic.test/health/live"), {})).status).toBe(200);
    const ready = await app.fetch(new Request("https://mosaic.test/health/ready"), {});
    expect([ready.status, await ready.json()]).toMatchObject([503, { checks: [{ name: "configuration" }] }]);
  });
});

describe("our own failures", () => {
  test("are told in general and logged in full, without secrets", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const broken = new Error("connect postgres://app:hunter2@db/x failed, Bearer abc.def, api_key=sk-live-123456789");
    const { ask } = memoryEdge({ checkDatabase: () => Promise.reject(broken) });
    const response = await ask("/health/ready?ticket=t0p", { headers: { "x-request-id": "request-42" } });
    expect(await problemIn(response)).toMatchObject({
      status: 500,
      code: "internal",
      requestId: "request-42",
      retryable: true,
    });
    const line = String(log.mock.calls[0]?.[0]);
    expect(line).toContain("request-42");
    expect(line).toContain("connect postgres://[redacted]db/x");
    expect(line).not.toMatch(/hunter2|abc\.def|sk-live|t0p/);
  });
});

describe("the docs", () => {
  const { ask } = memoryEdge();

  test("describe every route in OpenAPI 3.1, with the problems it can answer", async () => {
    const { routes } = await import("./routes/route-table.ts");
    const document = z
      .object({
        openapi: z.literal("3.1.0"),
        paths: z.record(
          z.string(),
          z.record(z.string(), z.object({ operationId: z.string(), responses: z.record(z.string(), z.unknown()) })),
        ),
      })
      .parse(await (await ask("/api/openapi.json", { as: null })).json());
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
    expect(Object.keys(document.paths["/api/conversations"]?.post?.responses ?? {})).toEqual(
      expect.arrayContaining(["201", "400", "401", "404", "409", "413", "415"]),
    );
  });

  test("are a page that runs only scripts of this origin", async () => {
    const response = await ask("/api/docs", { as: null });
    expect(response.headers.get("content-type")).toContain("text/html");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(await response.text()).not.toMatch(/<script>|onload=/);
  });
});
