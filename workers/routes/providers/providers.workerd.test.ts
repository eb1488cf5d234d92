import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { CreatedConnector } from "../../../shared/contract/connector.ts";
import { Provider, ProviderList } from "../../../shared/contract/provider.ts";
import { BUILT_IN_IDS } from "../../../shared/domain/providers/provider-record.ts";
import { REFUSED_URLS } from "../../../shared/testing/providers/url-corpus.ts";
import { memoryEdge, problemIn } from "../../testing/memory-edge.ts";
import { PEOPLE } from "../../testing/memory-services.ts";

const KEY = "sk-canary-0123456789";
const HEADER = "a header value that is secret";
type Edge = ReturnType<typeof memoryEdge>;

const post = (edge: Edge, body: object, more: object = {}) =>
  edge.ask("/api/providers", { method: "POST", body: { kind: "anthropic", displayName: "Mine", ...body }, ...more });

const patch = (edge: Edge, id: string, body: object, headers: Record<string, string> = {}) =>
  edge.ask(`/api/providers/${id}`, { method: "PATCH", body, headers });

async function aProvider(edge: Edge, body: object = {}): Promise<Provider> {
  const made = await post(edge, { credential: { apiKey: KEY }, ...body });
  expect(made.status).toBe(201);
  return Provider.parse(await made.json());
}

async function aConnector(edge: Edge, as = "alice"): Promise<CreatedConnector> {
  const made = await edge.ask("/api/connectors", { method: "POST", body: { name: "attic" }, as });
  expect(made.status).toBe(201);
  return CreatedConnector.parse(await made.json());
}

describe("a provider", () => {
  test("is made, read, changed and removed, with a version", async () => {
    const edge = memoryEdge();
    const made = await post(edge, { credential: { apiKey: KEY }, isDefault: true });
    expect([made.status, made.headers.get("etag")]).toEqual([201, '"1"']);
    const provider = Provider.parse(await made.json());
    expect(provider).toMatchObject({
      kind: "anthropic",
      displayName: "Mine",
      scope: "user",
      workspaceId: null,
      config: {},
      credential: { configured: true, hint: "…6789", method: "api-key" },
      isDefault: true,
      source: "stored",
    });
    const changed = await patch(edge, provider.id, { displayName: "Ours", isEnabled: false }, { "if-match": '"1"' });
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"2"']);
    expect((await patch(edge, provider.id, { displayName: "Late" }, { "if-match": '"1"' })).status).toBe(409);
    const path = `/api/providers/${provider.id}`;
    expect(Provider.parse(await (await edge.ask(path)).json())).toMatchObject({
      displayName: "Ours",
      isEnabled: false,
    });
    expect((await edge.ask(path, { method: "DELETE", headers: { "if-match": '"1"' } })).status).toBe(409);
    expect(edge.forgotten).toEqual([]);
    expect((await edge.ask(path, { method: "DELETE" })).status).toBe(204);
    expect((await edge.ask(path)).status).toBe(404);
    expect(edge.forgotten).toEqual([provider.id]);
  });

  test("leaves nothing of how it fared where its machine or its owner goes, and nothing of others' is forgotten", async () => {
    const edge = memoryEdge();
    const { id } = await aConnector(edge);
    const served = await aProvider(edge, { kind: "ollama", config: { connectorId: id }, credential: undefined });
    const own = await aProvider(edge);
    await post(edge, { credential: { apiKey: KEY } }, { as: "bob" });
    expect((await edge.ask(`/api/connectors/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(edge.forgotten).toEqual([served.id]);
    expect((await edge.ask("/api/me", { method: "DELETE" })).status).toBe(204);
    expect(new Set(edge.forgotten)).toEqual(new Set([served.id, own.id]));
  });

  test("never tells its secrets, whatever is asked", async () => {
    const edge = memoryEdge();
    const config = { baseUrl: "https://models.example.org/v1", headers: { "CF-Access-Client-Secret": HEADER } };
    const { id } = await aProvider(edge, { kind: "openai-compatible", config });
    const answers = [
      await edge.ask(`/api/providers/${id}`),
      await edge.ask("/api/providers"),
      await patch(edge, id, { displayName: "Other" }),
      await edge.ask(`/api/providers/${id}/test`, { method: "POST" }),
      await edge.ask("/api/providers/health"),
      await edge.ask("/api/models"),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect([text.includes(KEY), text.includes(HEADER)]).toEqual([false, false]);
    }
    expect(JSON.stringify([...edge.stored.values()])).not.toMatch(/canary|header value/);
    const shown = Provider.parse(await (await edge.ask(`/api/providers/${id}`)).json());
    expect(shown.config.headers).toEqual({ "CF-Access-Client-Secret": { configured: true, hint: "…cret" } });
  });

  test("keeps its key over a change of its headers, and its headers over a change of its key", async () => {
    const edge = memoryEdge();
    const config = { baseUrl: "https://models.example.org/v1" };
    const { id } = await aProvider(edge, { kind: "openai-compatible", config });
    const hints = async (body: object) => {
      const { credential, config: shown } = Provider.parse(await (await patch(edge, id, body)).json());
      return [credential.hint, shown.headers?.["X-Gate"]?.hint ?? null];
    };
    expect(await hints({ config: { headers: { "X-Gate": HEADER } } })).toEqual(["…6789", "…cret"]);
    expect(await hints({ credential: { apiKey: "sk-another-key-4321" } })).toEqual(["…4321", "…cret"]);
    expect(await hints({ credential: null })).toEqual([null, "…cret"]);
    expect(await hints({ config: { headers: {} } })).toEqual([null, null]);
    expect(edge.stored.get(id)?.record.credential).toBeNull();
  });

  test("moves to another address only with its secrets brought anew", async () => {
    const edge = memoryEdge();
    const { id } = await aProvider(edge, {
      kind: "openai-compatible",
      config: { baseUrl: "https://a.example.org/v1" },
    });
    const moved = { config: { baseUrl: "https://b.example.org/v1" } };
    const problem = await problemIn(await patch(edge, id, moved));
    expect([problem.code, problem.errors?.map(({ path }) => path)]).toEqual(["invalid_request", ["credential.apiKey"]]);
    expect((await patch(edge, id, { config: { baseUrl: "https://a.example.org/v2" } })).status).toBe(400);
    expect((await patch(edge, id, { ...moved, credential: { apiKey: KEY } })).status).toBe(200);
  });

  test("is there once for one Idempotency-Key, and another key in the body is another body", async () => {
    const edge = memoryEdge();
    const keyed = (apiKey: string) => post(edge, { credential: { apiKey } }, { headers: { "idempotency-key": "k" } });
    const [first, again] = [await keyed(KEY), await keyed(KEY)];
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    expect(await again.json()).toEqual(await first.json());
    expect(edge.stored.size).toBe(1);
    expect((await keyed("sk-another")).status).toBe(409);
  });

  test("is for those whose role allows it: everybody's for an instance admin, a workspace's for its admins", async () => {
    const edge = memoryEdge();
    expect(await problemIn(await post(edge, { scope: "system" }))).toMatchObject({ status: 403, code: "forbidden" });
    const own = await post(edge, { scope: "workspace" });
    expect(await own.json()).toMatchObject({ scope: "workspace", workspaceId: PEOPLE.alice.workspace.id });
    const theirs = await post(edge, { scope: "workspace", workspaceId: PEOPLE.bob.workspace.id });
    expect((await problemIn(theirs)).status).toBe(404);
  });

  test("of another user does not exist", async () => {
    const edge = memoryEdge();
    const { id } = await aProvider(edge);
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const) {
      const body = method === "PATCH" ? { body: { displayName: "stolen" } } : {};
      expect((await edge.ask(`/api/providers/${id}${path}`, { method, as: "bob", ...body })).status).toBe(404);
    }
    const theirs = ProviderList.parse(await (await edge.ask("/api/providers", { as: "bob" })).json());
    expect(theirs.items.map(({ source }) => source)).toEqual(["environment"]);
    expect(edge.stored.get(id)?.record.displayName).toBe("Mine");
  });

  test("is listed page by page, one's own first, with what one can log in to", async () => {
    const edge = memoryEdge();
    const ids = new Set<string>();
    for (let count = 0; count < 5; count += 1) ids.add((await aProvider(edge)).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "?limit=2" : `?limit=2&cursor=${cursor}`;
      const page: ProviderList = ProviderList.parse(await (await edge.ask(`/api/providers${query}`)).json());
      expect([page.items.length, page.logins]).toEqual([2, [{ kind: "openrouter", method: "redirect" }]]);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect([new Set(seen.slice(0, 5)), seen[5]]).toEqual([ids, BUILT_IN_IDS.anthropic]);
    for (const bad of ["nonsense", "9.x", "1.%00"])
      expect((await edge.ask(`/api/providers?cursor=${bad}`)).status).toBe(400);
  });
});

describe("the operator's provider", () => {
  test("can be read and tested, and changed only where it is set", async () => {
    const edge = memoryEdge();
    const path = `/api/providers/${BUILT_IN_IDS.anthropic}`;
    const read = await (await edge.ask(path)).text();
    expect(Provider.parse(JSON.parse(read))).toMatchObject({ source: "environment", scope: "system", createdAt: null });
    expect(read).not.toContain("operator.internal");
    expect((await edge.ask(`${path}/test`, { method: "POST" })).status).toBe(200);
    for (const answer of [
      await patch(edge, BUILT_IN_IDS.anthropic, { isEnabled: false }),
      await edge.ask(path, { method: "DELETE" }),
    ]) {
      const problem = await problemIn(answer);
      expect([problem.status, problem.code]).toEqual([403, "forbidden"]);
      expect(problem.detail).toContain("ANTHROPIC_API_KEY");
    }
  });
});

describe("a URL", () => {
  const fetched = vi.spyOn(globalThis, "fetch");

  test("that may not be fetched is refused in every field, and nothing is connected to", async () => {
    const edge = memoryEdge();
    const config = { baseUrl: "https://models.example.org/v1" };
    const { id } = await aProvider(edge, { kind: "openai-compatible", config });
    fetched.mockClear();
    expect(REFUSED_URLS.length).toBeGreaterThan(150);
    for (const baseUrl of REFUSED_URLS) {
      for (const kind of ["anthropic", "openai", "openrouter", "zai", "ollama", "openai-compatible"]) {
        const problem = await problemIn(await post(edge, { kind, config: { baseUrl } }));
        expect([baseUrl, kind, problem.status, problem.code]).toEqual([baseUrl, kind, 400, "url_refused"]);
        expect(problem.errors?.[0]?.path).toBe("config.baseUrl");
      }
      const problem = await problemIn(await patch(edge, id, { config: { baseUrl }, credential: { apiKey: KEY } }));
      expect([baseUrl, problem.status, problem.code]).toEqual([baseUrl, 400, "url_refused"]);
    }
    expect(fetched).not.toHaveBeenCalled();
    expect(edge.stored.size).toBe(1);
  });

  test("of a private network is refused for whoever is no instance admin, whatever the operator allows", async () => {
    const edge = memoryEdge();
    const problem = await problemIn(await post(edge, { kind: "ollama", config: { baseUrl: "http://10.0.0.1:11434" } }));
    expect([problem.status, problem.code]).toEqual([400, "url_refused"]);
  });
});

describe("a machine", () => {
  test("is one's own to put to work, and nobody else's", async () => {
    const edge = memoryEdge();
    const { id } = await aConnector(edge);
    const body = { kind: "ollama", config: { connectorId: id } };
    expect(await (await post(edge, body)).json()).toMatchObject({ config: { connectorId: id } });
    expect((await problemIn(await post(edge, body, { as: "bob" }))).status).toBe(404);
    const other = await aProvider(edge, { kind: "ollama", config: { connectorId: id }, credential: undefined });
    const stolen = (await aConnector(edge, "bob")).id;
    expect((await patch(edge, other.id, { config: { connectorId: stolen } })).status).toBe(404);
  });

  test("shows its token once more only for the same Idempotency-Key, and it is written down nowhere", async () => {
    const kept: unknown[] = [];
    const edge = memoryEdge();
    const finished = memoryEdge({
      idempotency: {
        begin: async () => (kept.length > 0 ? { state: "done", status: 201, body: kept[0] } : { state: "new" }),
        finish: async (_scope, _key, _status, body) => void kept.push(JSON.parse(JSON.stringify(body))),
        abandon: async () => {},
      },
    });
    const make = async () => {
      const how = { method: "POST", body: { name: "attic" }, headers: { "idempotency-key": "k" } };
      return CreatedConnector.parse(await (await finished.ask("/api/connectors", how)).json());
    };
    const [first, again] = [await make(), await make()];
    expect(again).toEqual(first);
    const secret = z.string().parse(first.token.split(".")[2]);
    expect([kept.length, JSON.stringify(kept).includes(secret)]).toEqual([1, false]);
    const listed = await (await finished.ask("/api/connectors")).text();
    expect([listed.includes(first.id), listed.includes(secret)]).toEqual([true, false]);
    expect((await aConnector(edge)).token).not.toBe((await aConnector(edge)).token);
  });

  test("is hung up on before it is forgotten, and by its owner alone", async () => {
    const edge = memoryEdge();
    const { id } = await aConnector(edge);
    const remove = (as: string) => edge.ask(`/api/connectors/${id}`, { method: "DELETE", as });
    expect([(await remove("bob")).status, edge.ended]).toEqual([404, []]);
    expect([(await remove("alice")).status, edge.ended]).toEqual([204, [id]]);
    expect((await remove("alice")).status).toBe(404);
  });
});
