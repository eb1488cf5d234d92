import { describe, expect, test } from "vitest";
import { Conversation } from "../../../shared/contract/conversation.ts";
import { Model } from "../../../shared/contract/model.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { describeModel } from "../../../shared/domain/catalogue/describe-model.ts";
import type { ProviderInstance } from "../../../shared/ports/provider-directory.ts";
import { memoryEdge, problemIn } from "../../testing/memory-edge.ts";
import { memoryProviders } from "../../testing/memory-providers.ts";

const ROUTER = "0b7e2f6c-0000-4000-8000-00000000000a";
const OPENAI = "0b7e2f6c-0000-4000-8000-00000000000b";

/** An edge where OpenRouter lists some models, and OpenAI one. */
function houseWith(ids: string[]) {
  const { providers } = memoryProviders().services;
  const [known] = providers.instances(null);
  if (!known) throw new Error("the memory has one provider");
  const instance = (id: string, kind: ProviderInstance["kind"], models: string[]): ProviderInstance => ({
    ...known,
    id,
    kind,
    models: models.map((model) => describeModel(kind, { id: model }, { providerId: id })),
  });
  const listed = { ids };
  const edge = memoryEdge({
    providers: {
      ...providers,
      instances: () => [instance(ROUTER, "openrouter", listed.ids), instance(OPENAI, "openai", ["gpt-5.1"])],
    },
  });
  const page = async (query: string, method = "GET") => {
    const path = method === "GET" ? "/api/models" : "/api/models/refresh";
    const { items, nextCursor } = pageOf(Model).parse(await (await edge.ask(`${path}${query}`, { method })).json());
    return { ids: items.map(({ id }) => id), next: nextCursor === null ? null : encodeURIComponent(nextCursor) };
  };
  return { edge, page, listed };
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `vendor/m-${index}`);

describe("the list of models", () => {
  test("comes in pages, of fifty where nothing else is asked for", async () => {
    const { page } = houseWith(numbered(120));
    const first = await page("");
    expect(first.ids).toEqual(numbered(50));
    const second = await page(`?cursor=${first.next}`);
    expect(second.ids).toEqual(numbered(100).slice(50));
    const third = await page(`?cursor=${second.next}`);
    expect(third).toEqual({ ids: [...numbered(120).slice(100), "gpt-5.1"], next: null });
    expect((await page("", "POST")).ids).toHaveLength(50);
    expect((await page("?limit=121")).next).toBeNull();
  });

  test("repeats and leaves out nothing when others come and go between two pages", async () => {
    const { page, listed } = houseWith(numbered(10));
    const { next } = await page("?limit=5");
    listed.ids = ["vendor/new", ...numbered(10).slice(2), "vendor/newest"];
    expect((await page(`?limit=50&cursor=${next}`)).ids).toEqual([
      ...numbered(10).slice(5),
      "vendor/newest",
      "gpt-5.1",
    ]);
  });

  test("goes on at its place where the model there is gone, and says so where a cursor is none", async () => {
    const { edge, page, listed } = houseWith(numbered(10));
    const { next } = await page("?limit=5");
    listed.ids = numbered(10).filter((id) => id !== "vendor/m-4");
    expect((await page(`?limit=50&cursor=${next}`)).ids).toEqual([...numbered(10).slice(6), "gpt-5.1"]);
    const problem = await problemIn(await edge.ask("/api/models?cursor=vendor%2Fm-4"));
    expect(problem).toMatchObject({ status: 400, errors: [{ path: "cursor" }] });
    expect(problem.detail).toContain("start again without it");
  });
});

describe("a conversation that begins with a model", () => {
  const begin = (edge: ReturnType<typeof memoryEdge>, model: string) =>
    edge.ask("/api/conversations", { method: "POST", body: { model } });

  test.each([
    ["openai/gpt-5.1", "openai/gpt-5.1"],
    ["openrouter/openai/gpt-5.1", "openrouter/openai/gpt-5.1"],
    ["gpt-5.1", "openai/gpt-5.1"],
    [`${OPENAI.toUpperCase()}/gpt-5.1`, `${OPENAI}/gpt-5.1`],
    ["openrouter/new/one", "openrouter/new/one"],
  ])("keeps %s as %s", async (given, kept) => {
    const { edge } = houseWith(["openai/gpt-5.1"]);
    const made = await begin(edge, given);
    expect(made.status).toBe(201);
    expect(Conversation.parse(await made.json()).model).toBe(kept);
  });

  test("is not made with one that nobody has; the nearest are told", async () => {
    const { edge } = houseWith(["openai/gpt-5.1"]);
    const problem = await problemIn(await begin(edge, "gtp-5.1"));
    expect(problem).toMatchObject({ status: 400, code: "invalid_request", errors: [{ path: "model" }] });
    expect(problem.detail).toContain("gpt-5.1");
    expect(edge.rows.size).toBe(0);
  });
});
