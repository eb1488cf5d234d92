import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../domain/app-error.ts";
import type { TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type { ConfigurationReader } from "../../ports/conversation-store.ts";
import type { ProviderHealthBook, ProviderInstance } from "../../ports/provider-directory.ts";
import { aModel } from "../../testing/builders.ts";
import { startEmbeddingServer } from "../../testing/providers/embedding-server.ts";
import { openAt } from "../../testing/providers/open-at.ts";
import { type RawServer, startRawServer } from "../../testing/providers/raw-server.ts";
import { createEmbedder } from "./embedder.ts";

const scope = { userId: "u" };
const empty: TurnConfiguration = {
  workspace: { defaultModel: null, defaultProviderId: null, settings: {} },
  providers: [],
  status: [],
  catalogue: [],
};

type Kind = "ollama" | "openai" | "openai-compatible";

function instance(kind: Kind, url: string, more: Partial<ProviderInstance> = {}): ProviderInstance {
  return {
    id: `${kind}-1`,
    version: 1,
    kind,
    displayName: kind,
    health: "healthy",
    breaker: "closed",
    trouble: null,
    isDefault: false,
    isPersonal: false,
    models: [],
    provider: openAt(kind, url, kind === "openai" ? "sk-test" : null),
    ...more,
  };
}

function embedderOf(instances: ProviderInstance[], configuration?: Partial<ConfigurationReader>) {
  const waits: number[] = [];
  const reports: Parameters<ProviderHealthBook["report"]>[] = [];
  const embedder = createEmbedder({
    health: { report: (...told) => void reports.push(told) },
    configuration: { read: async () => empty, ...configuration },
    directory: { instances: () => instances },
    model: "nomic-embed-text",
    wait: async (ms) => void waits.push(ms),
    random: () => 0.5,
    now: () => new Date(),
  });
  const embed = (texts: string[], purpose: "document" | "query" = "document") =>
    embedder.embed(scope, "w", texts, purpose);
  return { embed, embedder, waits, reports };
}

const texts = (count: number): string[] => Array.from({ length: count }, (_unused, index) => `text ${index}`);

/** Answers with one vector of three numbers for each text. */
async function startVectors(): Promise<RawServer> {
  const server = await startRawServer();
  server.answer((response) => {
    const body = server.requests.at(-1)?.body;
    const count =
      typeof body === "object" && body && "input" in body && Array.isArray(body.input) ? body.input.length : 0;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ embeddings: Array.from({ length: count }, () => [1, 2, 3]) }));
  });
  return server;
}

const inputsOf = (server: RawServer): string[][] =>
  server.requests.map(({ body }) => JSON.parse(JSON.stringify(body)).input);

describe("embedding with a real model behind Ollama's way", () => {
  let server: RawServer;
  beforeAll(async () => {
    server = await startEmbeddingServer();
  });
  afterAll(() => server.close());

  it("finds the document that answers the question, and says which model made the vectors", async () => {
    const { embed } = embedderOf([instance("ollama", server.url)]);
    const documents = ["The cat sleeps on the sofa.", "Interest rates rose again.", "Paris is the capital of France."];
    const found = await embed(documents);
    const question = await embed(["Which city is the capital of France?"], "query");
    expect(found).toMatchObject({ model: "nomic-embed-text", dimensions: 512, providerId: "ollama-1" });
    const [asked = []] = question.vectors;
    const likeness = found.vectors.map((vector) =>
      vector.reduce((sum, value, at) => sum + value * (asked[at] ?? 0), 0),
    );
    expect(likeness.indexOf(Math.max(...likeness))).toBe(2);
  });

  it("tells the model what a text is for", async () => {
    const { embed } = embedderOf([instance("ollama", server.url)]);
    const before = server.requests.length;
    await embed(["a"], "document");
    await embed(["b"], "query");
    expect(inputsOf(server).slice(before)).toEqual([["search_document: a"], ["search_query: b"]]);
  });
});

describe("embedding with OpenAI's way, at a peer that others wrote", () => {
  const peer = new LLMock({ port: 0, logLevel: "silent" });
  beforeAll(async () => void (await peer.start()));
  afterAll(() => peer.stop());

  it.each([
    ["openai", "text-embedding-3-small"],
    ["openai-compatible", "nomic-embed-text"],
  ] as const)("works at %s, with %s", async (kind, model) => {
    const { embed } = embedderOf([instance(kind, `${peer.url}/v1`)]);
    const made = await embed(["one", "two", "one"]);
    expect(made.model).toBe(model);
    expect(made.vectors).toHaveLength(3);
    expect(made.vectors[0]).toEqual(made.vectors[2]);
    expect(made.vectors[0]).not.toEqual(made.vectors[1]);
    expect(new Set(made.vectors.map(({ length }) => length))).toEqual(new Set([made.dimensions]));
  });
});

describe("embedding many texts", () => {
  it("goes in batches of 64, and the vectors come back in the order of the texts", async () => {
    const server = await startRawServer();
    server.answer((response) => {
      const input = inputsOf(server).at(-1) ?? [];
      // The first batch is the slowest.
      setTimeout(
        () => {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify({ embeddings: input.map((text) => [Number(text.split(" ").at(-1)), 1]) }));
        },
        input[0]?.endsWith(" 0") ? 60 : 5,
      );
    });
    const { vectors, dimensions } = await embedderOf([instance("ollama", server.url)]).embed(texts(150));
    expect(vectors.map(([first]) => first)).toEqual(Array.from({ length: 150 }, (_unused, index) => index));
    expect(dimensions).toBe(2);
    expect(
      inputsOf(server)
        .map(({ length }) => length)
        .toSorted((a, b) => a - b),
    ).toEqual([22, 64, 64]);
    await server.close();
  });

  it("puts vectors right that a server sent in another order", async () => {
    const data = [
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ];
    const server = await startRawServer({ "/v1/embeddings": { data } });
    expect((await embedderOf([instance("openai-compatible", server.url)]).embed(["a", "b"])).vectors).toEqual([
      [1],
      [2],
    ]);
    await server.close();
  });
});

describe("embedding when something is wrong", () => {
  it("tries again after what passes, with longer waits, and honours the wish to wait", async () => {
    const server = await startVectors();
    const { embed, waits } = embedderOf([instance("ollama", server.url)]);
    const failing = [503, 429];
    server.answer((response) => {
      const status = failing.shift();
      if (status !== undefined) return void response.writeHead(status, { "retry-after": "2" }).end();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ embeddings: [[1, 2]] }));
    });
    expect((await embed(["a"])).vectors).toEqual([[1, 2]]);
    expect(waits).toEqual([2_000, 2_000]);
    await server.close();
  });

  it("goes on to the next that can, and does not mix the vectors of two", async () => {
    const [broken, well] = await Promise.all([startRawServer(), startVectors()]);
    broken.answer((response) => void response.writeHead(401).end());
    const instances = [instance("ollama", broken.url, { id: "first" }), instance("ollama", well.url, { id: "second" })];
    const made = await embedderOf(instances).embed(texts(100));
    expect(made).toMatchObject({ providerId: "second", dimensions: 3 });
    expect(broken.requests.length).toBeLessThanOrEqual(2);
    await Promise.all([broken.close(), well.close()]);
  });

  it.each([
    ["too few vectors", { embeddings: [[1, 2]] }],
    ["too many vectors", { embeddings: [[1], [2], [3]] }],
    ["vectors of different lengths", { embeddings: [[1, 2], [3]] }],
    ["empty vectors", { embeddings: [[], []] }],
    ["no vectors", { embeddings: "none" }],
  ])("refuses %s", async (_what, answer) => {
    const server = await startRawServer({ "/api/embed": answer });
    const thrown: unknown = await embedderOf([instance("ollama", server.url)])
      .embed(["a", "b"])
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AppError);
    expect(thrown).toMatchObject({ code: "provider_unavailable" });
    await server.close();
  });

  it("says in one sentence what to connect when nothing can embed", async () => {
    const chat = instance("openai-compatible", "http://127.0.0.1:9", { models: [aModel({ id: "llama3" })] });
    for (const instances of [[], [chat]]) {
      await expect(embedderOf(instances).embed(["a"])).rejects.toThrow(
        "No connected provider can turn text into vectors. Run `ollama pull nomic-embed-text` where Ollama is and connect it under Settings, Providers, or connect an OpenAI key there.",
      );
    }
  });

  it("uses the environment's when the configuration cannot be read", async () => {
    const server = await startVectors();
    const read = async (): Promise<never> => Promise.reject(new Error("Postgres is away."));
    expect((await embedderOf([instance("ollama", server.url)], { read }).embed(["a"])).dimensions).toBe(3);
    await server.close();
  });
});

describe("the breaker of an instance that embeds", () => {
  it("hears of every try, with the kind of its failure and how long the vendor wants to be left alone", async () => {
    const server = await startVectors();
    const { embed, reports } = embedderOf([instance("ollama", server.url, { version: 7 })]);
    const failing = [503, 429];
    server.answer((response) => {
      const status = failing.shift();
      if (status !== undefined) return void response.writeHead(status, { "retry-after": "2" }).end();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ embeddings: [[1, 2]] }));
    });
    await embed(["a"]);
    expect(reports.map(([{ id, version }]) => [id, version])).toEqual([1, 2, 3].map(() => ["ollama-1", 7]));
    expect(reports.map(([, outcome]) => outcome)).toMatchObject([
      { ok: false, kind: "overloaded", retryAfterMs: 2_000, error: expect.any(String) },
      { ok: false, kind: "rate_limited", retryAfterMs: 2_000 },
      { ok: true, latencyMs: expect.any(Number) },
    ]);
    await server.close();
  });

  it("hears nothing of what the caller gave up, nor of a model whose vectors cannot be used", async () => {
    const server = await startRawServer({ "/api/embed": { embeddings: [[1, 2], [3]] } });
    const { embed, embedder, reports } = embedderOf([instance("ollama", server.url)]);
    await embed(["a", "b"]).catch(() => undefined);
    expect(reports.map(([, { ok }]) => ok)).toEqual([true]);
    await embedder.embed(scope, "w", ["a"], "document", AbortSignal.abort()).catch(() => undefined);
    expect(reports).toHaveLength(1);
    await server.close();
  });
});

describe("which instance embeds", () => {
  const model = (id: string, embedding: boolean) => {
    const made = aModel({ id, aliases: [] });
    return { ...made, capabilities: { ...made.capabilities, embedding } };
  };
  it("is one that has the wished model, before an Ollama with another, and one that is down comes last", async () => {
    const server = await startVectors();
    const has = { models: [model("nomic-embed-text:latest", true)] };
    const instances = [
      instance("ollama", server.url, { id: "down", health: "down", ...has }),
      instance("ollama", server.url, { id: "other", models: [model("mxbai-embed-large", true)] }),
      instance("ollama", server.url, { id: "none", models: [model("llama3", false)] }),
      instance("ollama", server.url, { id: "wished", ...has }),
    ];
    expect((await embedderOf(instances).embed(["a"])).providerId).toBe("wished");
    expect((await embedderOf(instances.slice(0, 3)).embed(["a"])).model).toBe("mxbai-embed-large");
    await server.close();
  });
});
