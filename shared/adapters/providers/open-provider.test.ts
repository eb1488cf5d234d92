import { describe, expect, it } from "vitest";
import type { ConnectableKind } from "../../contract/provider.ts";
import type { ProviderSecret } from "../../domain/providers/provider-record.ts";
import { VaultError } from "../../ports/credential-vault.ts";
import { ProviderError } from "../../ports/model-provider.ts";
import {
  ask,
  collect,
  failureOfEvents,
  textOfEvents,
  thinkingOfEvents,
} from "../../testing/providers/collect-events.ts";
import { aProviderRecord, depsWith, sealedAs } from "../../testing/providers/open-at.ts";
import { type RawServer, startRawServer } from "../../testing/providers/raw-server.ts";
import { accessTo } from "./access.ts";
import { openProvider } from "./open-provider.ts";
import { rootOf } from "./vendors.ts";

const KINDS: readonly ConnectableKind[] = ["anthropic", "openai", "openrouter", "zai", "ollama", "openai-compatible"];
const signal = new AbortController().signal;

async function refusing(): Promise<RawServer> {
  const server = await startRawServer();
  server.answer((response) => void response.writeHead(401, { "content-type": "application/json" }).end("{}"));
  return server;
}

describe("an instance's secret", () => {
  it.each(KINDS)("is opened in each call of %s anew, for its own record, and in none before", async (kind) => {
    const server = await refusing();
    const opened: string[] = [];
    const record = aProviderRecord({ kind, baseUrl: server.url, credential: sealedAs("api-key") });
    let apiKey = "sk-first-key";
    const deps = depsWith(
      {},
      {
        vault: {
          open: async (sealed, binding) => {
            opened.push(`${sealed} ${binding.recordId === record.id} ${binding.kind} ${binding.scope}`);
            return { apiKey };
          },
        },
      },
    );
    const provider = openProvider(record, deps);
    expect(opened).toEqual([]);
    expect(JSON.stringify(provider)).not.toContain("sk-");
    await collect(provider, ask("m", "hi"));
    apiKey = "sk-second-key";
    await provider.models(signal).catch(() => undefined);
    expect(new Set(opened)).toEqual(new Set([`v1.sealed true ${kind} user`]));
    const sent = server.requests.map(({ headers }) => `${headers.authorization ?? ""}${headers["x-api-key"] ?? ""}`);
    expect(sent[0]).toContain("sk-first-key");
    expect(sent.at(-1)).toContain("sk-second-key");
    await server.close();
  });

  it.each(KINDS)("never shows where %s repeats it: not in a sentence, not in a list", async (kind) => {
    const secret: ProviderSecret = { apiKey: "canary-key-4711", headers: { "x-gate": "canary-header-4712" } };
    const server = await startRawServer();
    const record = aProviderRecord({ kind, baseUrl: server.url, credential: sealedAs("api-key") });
    const provider = openProvider(record, depsWith(secret));
    const echo = JSON.stringify(secret);
    for (const status of [200, 400, 403, 500]) {
      server.answer((response) => {
        response.writeHead(status, { "content-type": "application/json", "x-echo": "canary-key-4711" });
        response.end(JSON.stringify({ error: { message: echo, type: echo } }));
      });
      expect(JSON.stringify(await collect(provider, ask("m", "hi")))).not.toContain("canary");
      const thrown: unknown = await provider.models(signal).catch((error: unknown) => error);
      expect(thrown instanceof ProviderError ? thrown.message : "").not.toContain("canary");
    }
    const ids = ["canary-key-4711", "m", "x-canary-header-4712"];
    server.answer((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ data: ids.map((id) => ({ id })), models: ids.map((name) => ({ name })) }));
    });
    const listed = JSON.stringify(await provider.models(signal));
    for (const trace of ["canary", "[secret]"]) expect(listed).not.toContain(trace);
    await server.close();
  });

  it("is taken out of an answer that repeats it, while that streams", async () => {
    const server = await startRawServer();
    const record = aProviderRecord({
      kind: "openai-compatible",
      baseUrl: server.url,
      credential: sealedAs("api-key"),
    });
    const secret = { apiKey: "sk-canary-0123456789abcdef", headers: { "x-gate": "gate-canary-4711" } };
    const echo = `Bearer ${secret.apiKey}, ${secret.headers["x-gate"]}`;
    const pieces = (make: (piece: string) => object) =>
      (echo.match(/.{1,7}/g) ?? []).map((piece) => ({ index: 0, delta: make(piece) }));
    const choices = [
      ...pieces((content) => ({ content })),
      ...pieces((text) => ({ reasoning_content: text })),
      ...pieces((text) => ({ tool_calls: [{ index: 0, id: echo, function: { name: "t", arguments: text } }] })),
      { index: 0, delta: {}, finish_reason: "tool_calls" },
    ];
    server.answer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const choice of choices)
        response.write(
          `data: ${JSON.stringify({ model: echo, object: "chat.completion.chunk", choices: [choice] })}\n\n`,
        );
      response.end("data: [DONE]\n\n");
    });
    const events = await collect(openProvider(record, depsWith(secret)), ask("m", "hi"));
    for (const told of [textOfEvents(events), thinkingOfEvents(events)]) expect(told).toBe("Bearer [secret], [secret]");
    const whole = events.map((event) => ("text" in event ? event.text : JSON.stringify(event))).join("");
    expect(whole).not.toMatch(/canary|0123/);
    expect(events.at(-1)).toMatchObject({ type: "finish", model: "Bearer [secret], [secret]" });
    await server.close();
  });

  it("is a login's token as a bearer, refreshed first, and the key is left out", async () => {
    const server = await refusing();
    const credential = { ...sealedAs("oauth"), sealed: "v1.old" };
    const record = aProviderRecord({ displayName: "My Claude", baseUrl: server.url, credential });
    const seen: string[] = [];
    const deps = depsWith(
      {},
      {
        fresh: async () => ({ ...credential, sealed: "v1.new", version: 2 }),
        vault: {
          open: async (sealed) => {
            seen.push(sealed);
            return { apiKey: "sk-old", oauth: { accessToken: "token-1" } };
          },
        },
      },
    );
    const failure = failureOfEvents(await collect(openProvider(record, deps), ask("m", "hi")));
    expect(seen).toEqual(["v1.new"]);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer token-1");
    expect(server.requests[0]?.headers["x-api-key"]).toBeUndefined();
    expect(failure.message).toBe(
      'The login of "My Claude" at Anthropic has ended (401). Log in again under Settings, Providers.',
    );
    await server.close();
  });

  it.each(KINDS.filter((kind) => kind !== "ollama"))(
    "of a login at %s that is refused before its time is renewed once, and the call goes out again",
    async (kind) => {
      const server = await refusing();
      const credential = { ...sealedAs("oauth"), sealed: "v1.old" };
      const record = aProviderRecord({ kind, baseUrl: server.url, credential });
      const renewed: (string | undefined)[] = [];
      const deps = depsWith(
        {},
        {
          fresh: async (_record, refused) => {
            if (!refused) return credential;
            renewed.push(refused.sealed);
            return { ...credential, sealed: "v1.new", version: 2 };
          },
          vault: { open: async (sealed) => ({ oauth: { accessToken: sealed === "v1.old" ? "token-1" : "token-2" } }) },
        },
      );
      const failure = failureOfEvents(await collect(openProvider(record, deps), ask("m", "hi")));
      expect(renewed).toEqual(["v1.old"]);
      const [first, second, ...more] = server.requests;
      expect([first?.headers.authorization, second?.headers.authorization]).toEqual([
        "Bearer token-1",
        "Bearer token-2",
      ]);
      expect([second?.path, second?.body]).toEqual([first?.path, first?.body]);
      expect(more).toEqual([]);
      expect(failure.kind).toBe("unauthenticated");
      expect(JSON.stringify(failure)).not.toContain("token-");
      await server.close();
    },
  );

  it("of a login that cannot be renewed now is no refused one: it says so, and sends nothing more", async () => {
    const server = await refusing();
    const record = aProviderRecord({ baseUrl: server.url, credential: sealedAs("oauth") });
    const away = { kind: "unreachable" as const, message: "The vendor does not answer.", retryable: true };
    const deps = depsWith(
      { oauth: { accessToken: "token-1" } },
      {
        fresh: async ({ credential }, refused) => {
          if (refused || !credential) throw new ProviderError(away);
          return credential;
        },
      },
    );
    expect(failureOfEvents(await collect(openProvider(record, deps), ask("m", "hi")))).toEqual(away);
    expect(server.requests).toHaveLength(1);
    await server.close();
  });

  it("that is an API key is sent once, whatever is said to it", async () => {
    const server = await refusing();
    const record = aProviderRecord({ baseUrl: server.url, credential: sealedAs("api-key") });
    await collect(openProvider(record, depsWith({ apiKey: "sk-key" })), ask("m", "hi"));
    expect(server.requests).toHaveLength(1);
    await server.close();
  });

  it("sends nothing when there is none, or none that can be opened, and says what to do", async () => {
    const server = await refusing();
    const record = aProviderRecord({ baseUrl: server.url, credential: sealedAs("api-key") });
    const sentenceOf = async (more: Parameters<typeof depsWith>[1], credential = record.credential) => {
      const events = await collect(openProvider({ ...record, credential }, depsWith({}, more)), ask("m", "hi"));
      return failureOfEvents(events).message;
    };
    const failing = (why: VaultError["why"]) => ({
      vault: { open: async () => Promise.reject(new VaultError(why, "no")) },
    });
    expect(await sentenceOf({}, null)).toBe('"Work" has no API key. Enter one under Settings, Providers.');
    expect(await sentenceOf(failing("unknown-key"))).toContain("CREDENTIALS_KEYS");
    expect(await sentenceOf(failing("tampered"))).toContain("Enter it again");
    expect(server.connections()).toBe(0);
    await server.close();
  });

  it("is not waited for longer than for an answer, nor past a stop", async () => {
    const record = aProviderRecord({ credential: sealedAs("api-key") });
    const provider = openProvider(record, depsWith({}, { vault: { open: () => new Promise(() => undefined) } }));
    const late = await collect(provider, ask("m", "hi"), { headersTimeoutMs: 20 });
    expect(failureOfEvents(late).kind).toBe("timeout");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    expect(failureOfEvents(await collect(provider, ask("m", "hi"), { signal: controller.signal })).kind).toBe(
      "aborted",
    );
  });
});

describe("where an instance is asked", () => {
  it("is its own origin alone, whatever an SDK makes of the address", async () => {
    const asked: string[] = [];
    const send: typeof fetch = async (input) => {
      asked.push(String(input));
      return new Response("{}");
    };
    const record = aProviderRecord({ baseUrl: "https://models.example.org/v1" });
    const access = accessTo(record, depsWith({}, { fetchFor: () => send }));
    const leave = access.fetchFor(access.vendor());
    for (const url of ["https://else.example.org/v1", "http://models.example.org/", "https://models.example.org:8443/"])
      await expect(leave(url)).rejects.toThrow("leaves the saved address");
    await leave("https://models.example.org/v1/messages");
    expect(asked).toEqual(["https://models.example.org/v1/messages"]);
  });

  it.each<[ConnectableKind, string | null, string]>([
    ["openai-compatible", "http://127.0.0.1:1234", "http://127.0.0.1:1234/v1"],
    ["openai-compatible", "http://127.0.0.1:1234/", "http://127.0.0.1:1234/v1"],
    ["openai-compatible", "http://127.0.0.1:1234/v1/", "http://127.0.0.1:1234/v1"],
    ["openai-compatible", "http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"],
    ["openai-compatible", "https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"],
    ["openai-compatible", "https://models.example.org/v1beta/openai", "https://models.example.org/v1beta/openai"],
    ["openai-compatible", "https://v1.example.org", "https://v1.example.org/v1"],
    ["openai-compatible", null, "http://connector.invalid/v1"],
    ["openai", "https://proxy.example.org", "https://proxy.example.org/v1"],
    ["openai", null, "https://api.openai.com/v1"],
    ["anthropic", "https://proxy.example.org/v1", "https://proxy.example.org"],
    ["openrouter", null, "https://openrouter.ai/api/v1"],
    ["zai", "https://api.z.ai/api/coding/paas/v4/", "https://api.z.ai/api/coding/paas/v4"],
    ["ollama", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"],
    ["ollama", "http://127.0.0.1:11434/api/", "http://127.0.0.1:11434"],
    ["ollama", null, "http://connector.invalid"],
  ])("%s at %s is %s", (kind, baseUrl, root) => {
    expect(rootOf(kind, baseUrl)).toBe(root);
  });

  it("is where the operator says, for whoever gave a key and no address", async () => {
    const server = await refusing();
    const record = aProviderRecord({ credential: sealedAs("api-key") });
    const deps = depsWith({ apiKey: "sk-user" }, { operatorBaseUrl: () => server.url });
    await collect(openProvider(record, deps), ask("m", "hi"));
    await collect(openProvider({ ...record, route: "public", baseUrl: "https://127.0.0.1:1" }, deps), ask("m", "hi"));
    expect(server.requests).toHaveLength(1);
    await server.close();
  });
});
