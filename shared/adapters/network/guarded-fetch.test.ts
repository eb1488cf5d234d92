import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConnectableKind } from "../../contract/provider.ts";
import type { ProviderRecord, Route } from "../../domain/providers/provider-record.ts";
import { ProviderError, type ProviderFailure } from "../../ports/model-provider.ts";
import { type ListeningPost, startListeningPost } from "../../testing/network/listening-post.ts";
import { ask, collect, failureOfEvents } from "../../testing/providers/collect-events.ts";
import { aProviderRecord, depsWith, sealedAs } from "../../testing/providers/open-at.ts";
import { startRawServer } from "../../testing/providers/raw-server.ts";
import { REFUSED_HOSTS, REFUSED_URLS } from "../../testing/providers/url-corpus.ts";
import { openProvider } from "../providers/open-provider.ts";
import { createFetchFor, type FetchForDeps } from "./guarded-fetch.ts";

const KEY = "sk-live-9f8e7d6c5b4a";
const HEADER = "cf-access-secret-value";
const KINDS: readonly ConnectableKind[] = ["anthropic", "openai", "openrouter", "zai", "ollama", "openai-compatible"];

/** The worst case: no network service holds the line behind the guard. */
const deps: FetchForDeps = {
  open: { fetch },
  public: { fetch },
  private: { fetch },
  connectors: { fetch: () => Promise.reject(new Error("There is no machine here.")) },
};

function open(kind: ConnectableKind, route: Route, baseUrl: string, more: Partial<FetchForDeps> = {}) {
  const record: ProviderRecord = aProviderRecord({ kind, route, baseUrl, credential: sealedAs("api-key") });
  const secret = { apiKey: KEY, headers: { "cf-access-client-secret": HEADER } };
  return openProvider(record, depsWith(secret, { fetchFor: createFetchFor({ ...deps, ...more }) }));
}

async function failureOfList(provider: ReturnType<typeof open>): Promise<ProviderFailure> {
  const thrown = await provider.models(new AbortController().signal).catch((error: unknown) => error);
  if (!(thrown instanceof ProviderError)) throw new Error("It answered, or broke in another way.", { cause: thrown });
  return thrown.failure;
}

let post: ListeningPost;
beforeAll(async () => {
  post = await startListeningPost();
});
afterAll(() => post.close());

describe("what a user's URL can reach", () => {
  it("has a listening post that would be found without the guard", async () => {
    await failureOfList(open("anthropic", "operator", `http://127.0.0.1:${post.port}`));
    expect([post.connections(), post.heard().includes(KEY)]).toEqual([1, true]);
  });

  it.each(KINDS)("makes no connection and sends no key for any URL of the corpus, by any call of %s", async (kind) => {
    const before = [post.connections(), post.heard().length];
    const urls = [
      ...REFUSED_URLS,
      ...REFUSED_HOSTS.map((host) => `https://${host}:${post.port}/v1`),
      ...REFUSED_HOSTS.map((host) => `http://${host}:${post.port}`),
      ...REFUSED_HOSTS.map((host) => `https://models.example.org@${host}:${post.port}/`),
    ];
    for (const url of urls) {
      const provider = open(kind, "public", url);
      const failure = failureOfEvents(await collect(provider, ask("m", "hi"), { headersTimeoutMs: 1_000 }));
      // What is no URL at all may fail in an SDK's hands before it comes to ours.
      const kinds = [failure.kind, (await failureOfList(provider)).kind];
      expect([url, kinds.every((each) => each === "unreachable" || each === "protocol")]).toEqual([url, true]);
      await provider.embed?.("m", ["x"], new AbortController().signal).catch(() => undefined);
    }
    expect([post.connections(), post.heard().length]).toEqual(before);
  });

  it("says which address is refused, and why, without what is secret in it", async () => {
    const failure = await failureOfList(open("openai-compatible", "public", "https://127.0.0.1/v1?token=hidden"));
    expect(failure.message).toBe(
      'Mosaic does not call the address of "Work": it points to an address that is not public. Change it under Settings, Providers.',
    );
  });

  it("reaches a private address only where that is allowed, and never a cloud's metadata", async () => {
    const url = `http://127.0.0.1:${post.port}`;
    const before = post.connections();
    expect((await failureOfList(open("ollama", "private", url, { private: null }))).message).toContain(
      "ALLOW_PRIVATE_NETWORK=1",
    );
    expect((await failureOfList(open("ollama", "private", `http://169.254.169.254:${post.port}`))).kind).toBe(
      "unreachable",
    );
    expect(post.connections()).toBe(before);
    await failureOfList(open("ollama", "private", url));
    expect(post.connections()).toBe(before + 1);
  });

  it("reaches a connector's machine through the gateway alone", async () => {
    const asked: string[] = [];
    const record = aProviderRecord({ kind: "ollama", route: "connector", connectorId: "c1", upstream: "gpu" });
    const connectors: FetchForDeps["connectors"] = {
      fetch: async ({ connectorId, upstream, ownerUserId }, request) => {
        asked.push(`${connectorId} ${upstream} ${ownerUserId === record.ownerUserId} ${request.url}`);
        return Response.json({ models: [] });
      },
    };
    const nowhere = { fetch: () => Promise.reject(new Error("This is not the way.")) };
    const fetchFor = createFetchFor({ open: nowhere, public: nowhere, private: null, connectors });
    const provider = openProvider(record, depsWith({}, { fetchFor }));
    expect(await provider.models(new AbortController().signal)).toEqual([]);
    expect(asked).toEqual(["c1 gpu true http://connector.invalid/api/tags"]);
  });
});

describe("a redirect", () => {
  it.each(KINDS)(
    "is not followed for %s: nothing reaches where it points, and no sentence tells where in our network that is",
    async (kind) => {
      const server = await startRawServer();
      const target = `http://127.0.0.1:${post.port}/elsewhere?token=hidden`;
      for (const status of [301, 302, 303, 307, 308]) {
        server.answer((response) => void response.writeHead(status, { location: target }).end());
        const before = post.connections();
        const provider = open(kind, "operator", server.url);
        const failure = failureOfEvents(await collect(provider, ask("m", "hi")));
        expect(failure).toMatchObject({ kind: "protocol", status });
        expect(failure.message).toContain("points to another address instead");
        expect(failure.message).not.toMatch(/hidden|127\.0/);
        expect((await failureOfList(provider)).kind).toBe("protocol");
        expect(post.connections()).toBe(before);
      }
      await server.close();
    },
  );
});

describe("a call", () => {
  it("keeps no cookie and sends the saved headers to the saved host", async () => {
    const server = await startRawServer();
    server.answer((response) => {
      response.writeHead(200, { "content-type": "application/json", "set-cookie": "session=1" });
      response.end(JSON.stringify({ data: [{ id: "m" }] }));
    });
    const provider = open("openai-compatible", "private", server.url);
    await provider.models(new AbortController().signal);
    await provider.models(new AbortController().signal);
    expect(server.requests.map(({ path, headers }) => [path, headers.cookie])).toEqual([
      ["/v1/models", undefined],
      ["/v1/models", undefined],
    ]);
    expect(server.requests[0]?.headers).toMatchObject({
      "cf-access-client-secret": HEADER,
      authorization: `Bearer ${KEY}`,
    });
    await server.close();
  });

  it("gives up on a list that does not end", async () => {
    const server = await startRawServer();
    server.answer((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const piece = `"${"x".repeat(1024 * 1024)}",\n`;
      const write = (): void => void (response.destroyed || response.write(piece, () => setImmediate(write)));
      response.write("[");
      write();
    });
    expect((await failureOfList(open("openai-compatible", "private", server.url))).kind).toBe("protocol");
    await server.clientLeft();
    await server.close();
  });
});
