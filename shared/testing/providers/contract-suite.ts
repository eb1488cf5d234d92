/** What every adapter of the port `ModelProvider` promises, tried against peers that keep and that break the vendor's word. */
import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelProvider, ProviderErrorKind, StreamOptions } from "../../ports/model-provider.ts";
import { ask, collect, failureOfEvents, finishOfEvents, textOfEvents, thinkingOfEvents } from "./collect-events.ts";
import { type RawServer, startRawServer, writeSlowly } from "./raw-server.ts";
import type { VendorWire } from "./vendor-wires.ts";

type PeerAbility = "thinking" | "usage" | "finish";

export interface ContractSubject {
  name: string;
  /** The adapter under test, at a server whose root is `url`. */
  create(url: string): ModelProvider;
  wire: VendorWire;
  model: string;
  /** The key `create` uses; must never show. */
  secret: string;
  /** What the peer cannot do in this vendor's format. */
  peerLacks?: readonly PeerAbility[];
  /** Paths of calls that go beside the one under test, and their answers. */
  beside?: Readonly<Record<string, unknown>>;
}

const TEXTS = ["Grüße, ", "🌍 Welt", " and “quotes”\n", "終わり"] as const;
const WHOLE = TEXTS.join("");
const SHORT: Partial<StreamOptions> = { headersTimeoutMs: 250, idleTimeoutMs: 250 };

const STATUSES: [number, ProviderErrorKind, boolean][] = [
  [400, "invalid_request", false],
  [401, "unauthenticated", false],
  [402, "quota_exceeded", false],
  [403, "unauthenticated", false],
  [404, "not_found", false],
  [408, "timeout", true],
  [409, "server_error", true],
  [413, "context_too_large", false],
  [422, "invalid_request", false],
  [429, "rate_limited", true],
  [500, "server_error", true],
  [502, "server_error", true],
  [503, "overloaded", true],
  [529, "overloaded", true],
];

const TOOLS = ["weather", "clock"].map((name) => ({
  name,
  description: name,
  inputSchema: { type: "object", properties: {} },
}));

function describeWire(subject: ContractSubject): void {
  const { wire, model } = subject;
  let server: RawServer;
  let provider: ModelProvider;
  const bytes = (texts: readonly string[] = TEXTS): Uint8Array => new TextEncoder().encode(wire.answer(texts).join(""));

  /** Streams these bytes with status 200; `end` says how the connection ends. */
  const answerWith = (
    pieces: Iterable<string | Uint8Array>,
    end: "end" | "destroy" | "hang" = "end",
    pauseMs = 0,
  ): void =>
    server.answer((response) => {
      response.writeHead(200, { "content-type": wire.contentType });
      response.flushHeaders();
      writeSlowly(response, pieces, pauseMs).then(
        () => (end === "end" ? response.end() : end === "destroy" ? response.destroy() : undefined),
        () => response.destroy(),
      );
    });

  beforeAll(async () => {
    server = await startRawServer(subject.beside);
    provider = subject.create(server.url);
  });
  afterAll(() => server.close());

  const run = (options: Partial<StreamOptions> = {}) => collect(provider, ask(model, "hello"), options);

  it("delivers the text as sent and one finish with usage, cached tokens inside the input", async () => {
    answerWith(wire.answer(TEXTS));
    const events = await run();
    expect(textOfEvents(events)).toBe(WHOLE);
    const finish = finishOfEvents(events);
    expect(finish).toMatchObject({ reason: "stop", model: "m", usage: { inputTokens: 17, outputTokens: 7 } });
    expect(finish.usage.cachedTokens).toBe(subject.wire.contentType.includes("ndjson") ? 0 : 5);
  });

  it("puts characters together again that the network split byte by byte", async () => {
    answerWith(Array.from(bytes(["é🌍終"]), (byte) => Uint8Array.of(byte)));
    expect(textOfEvents(await run())).toBe("é🌍終");
  });

  it("passes over events it does not know", async () => {
    const [open = "", ...rest] = wire.answer(TEXTS);
    answerWith([open, wire.unknownEvent, ...rest]);
    expect(textOfEvents(await run())).toBe(WHOLE);
  });

  it.each([
    ["inside a character", (whole: Uint8Array) => whole.slice(0, whole.indexOf(0xf0) + 2)],
    ["inside an event's JSON", (whole: Uint8Array) => whole.slice(0, whole.indexOf(0xf0) - 6)],
  ])("calls a connection lost %s cut, and keeps what came before", async (_where, cut) => {
    for (const end of ["end", "destroy"] as const) {
      answerWith([cut(bytes())], end);
      const events = await run();
      expect(failureOfEvents(events)).toMatchObject({ kind: "stream_cut", retryable: true });
      expect(textOfEvents(events)).toBe(TEXTS[0]);
    }
  });

  it("calls a stream that ends politely but too early cut", async () => {
    answerWith(wire.answer(TEXTS).slice(0, -1));
    expect(failureOfEvents(await run()).kind).toBe("stream_cut");
  });

  it("calls an empty stream cut", async () => {
    answerWith([]);
    expect(failureOfEvents(await run()).kind).toBe("stream_cut");
  });

  it("times out without headers", async () => {
    server.answer(() => undefined);
    expect(failureOfEvents(await run(SHORT))).toMatchObject({ kind: "timeout", retryable: true });
    await server.clientLeft();
  });

  it("times out when the stream stands still, and keeps what came before", async () => {
    answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    const events = await run(SHORT);
    expect(textOfEvents(events)).toBe(TEXTS[0]);
    expect(failureOfEvents(events).kind).toBe("timeout");
    await server.clientLeft();
  });

  it("does not time out a stream that is slow but alive", async () => {
    answerWith(wire.answer(Array.from({ length: 12 }, () => "x")), "end", 60);
    finishOfEvents(await run({ idleTimeoutMs: 500 }));
  });

  it("gives a sign of life for bytes that are no event yet", async () => {
    answerWith([bytes().slice(0, 5)], "hang");
    let signs = 0;
    await run({ ...SHORT, onActivity: () => void signs++ });
    expect(signs).toBeGreaterThan(0);
  });

  it("does not blame the vendor while its reader takes its time", async () => {
    answerWith(wire.answer(TEXTS));
    const events = [];
    for await (const event of provider.stream(ask(model, "hello"), {
      signal: new AbortController().signal,
      ...SHORT,
    })) {
      events.push(event);
      if (events.length === 1) await new Promise((resolve) => setTimeout(resolve, 500));
    }
    finishOfEvents(events);
  });

  it("calls events that are not JSON a breach of protocol", async () => {
    const [open = ""] = wire.answer(TEXTS);
    answerWith([open, wire.garbage]);
    expect(failureOfEvents(await run()).kind).toBe("protocol");
  });

  it("calls a web page in place of an answer a breach of protocol", async () => {
    server.answer((response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<h1>Sign in to the hotel's network</h1>");
    });
    expect(failureOfEvents(await run()).kind).toBe("protocol");
  });

  it("reads an error body in a 200 as the failure it is", async () => {
    server.answer((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "upstream exploded", type: "api_error" } }));
    });
    expect(failureOfEvents(await run())).toMatchObject({ kind: "server_error", retryable: true });
  });

  it("reads an error inside the stream as the failure it is", async () => {
    const [open = "", first = ""] = wire.answer(TEXTS);
    answerWith([open, first, wire.inStreamError]);
    const events = await run();
    expect(textOfEvents(events)).toBe(TEXTS[0]);
    expect(failureOfEvents(events)).toMatchObject({ kind: "overloaded", retryable: true });
  });

  it.each(STATUSES)("classifies status %i as %s", async (status, kind, retryable) => {
    server.answer((response) => {
      response.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
      response.end(JSON.stringify({ error: { message: "no", type: "unheard_of" } }));
    });
    const failure = failureOfEvents(await run());
    expect(failure).toMatchObject({ kind, retryable, status, retryAfterMs: 7_000 });
    expect(failure.message).toMatch(/^[A-Z][^\n]+\.$/);
  });

  it("survives an error that is a web page, and one that never ends", async () => {
    server.answer((response) => {
      response.writeHead(502, { "content-type": "text/html" });
      response.write("<html>".repeat(20_000));
    });
    expect(failureOfEvents(await run())).toMatchObject({ kind: "server_error", status: 502 });
  });

  it("never shows the key, even where the vendor repeats it", async () => {
    for (const status of [200, 400, 401, 500]) {
      server.answer((response) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          JSON.stringify({ error: { message: `Incorrect API key provided: ${subject.secret}`, type: "x" } }),
        );
      });
      expect(JSON.stringify(await run())).not.toContain(subject.secret);
    }
  });

  it("says that nobody is there when nobody is", async () => {
    const closed = await startRawServer();
    await closed.close();
    const events = await collect(subject.create(closed.url), ask(model, "hello"));
    expect(failureOfEvents(events)).toMatchObject({ kind: "unreachable", retryable: true });
  });

  it("sends nothing when it was stopped before", async () => {
    const before = server.requests.length;
    expect(failureOfEvents(await run({ signal: AbortSignal.abort() })).kind).toBe("aborted");
    expect(server.requests.length).toBe(before);
  });

  it("stops in the middle: one failure, the connection closed", async () => {
    answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    const controller = new AbortController();
    const events = [];
    for await (const event of provider.stream(ask(model, "hello"), { signal: controller.signal })) {
      events.push(event);
      if (event.type === "text-delta") controller.abort();
    }
    expect(failureOfEvents(events)).toMatchObject({ kind: "aborted", retryable: false });
    await server.clientLeft();
  });

  it("closes the connection when its reader leaves early", async () => {
    answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    for await (const event of provider.stream(ask(model, "hello"), { signal: new AbortController().signal })) {
      if (event.type === "text-delta") break;
    }
    await server.clientLeft();
  });

  it("uses a finished answer's connection again", async () => {
    answerWith(wire.answer(TEXTS));
    await run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = server.connections();
    await run();
    expect(server.connections()).toBe(before);
  });

  it("hands tokens on as they come", async () => {
    answerWith(wire.answer(TEXTS), "end", 40);
    const times: number[] = [];
    for await (const event of provider.stream(ask(model, "hello"), { signal: new AbortController().signal })) {
      if (event.type === "text-delta") times.push(performance.now());
    }
    expect(times).toHaveLength(TEXTS.length);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
  });
}

function describePeer(subject: ContractSubject): void {
  const { model } = subject;
  const has = (ability: PeerAbility): boolean => !subject.peerLacks?.includes(ability);
  const peer = new LLMock({ port: 0, logLevel: "silent", chunkSize: 5 });
  let provider: ModelProvider;

  beforeAll(async () => {
    peer.on({ userMessage: "plain" }, { content: "A plain answer, 🌍 and all." });
    peer.on({ userMessage: "think" }, { content: "Done.", reasoning: "First this, then that." });
    const usage = { input_tokens: 11, output_tokens: 3, prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
    peer.on({ userMessage: "count" }, { content: "Counted.", usage });
    peer.on({ userMessage: "long" }, { content: "Too lo", finishReason: "length" });
    peer.on(
      { userMessage: "tools" },
      {
        toolCalls: [
          { name: "weather", arguments: '{"city":"Zürich","days":2}' },
          { name: "clock", arguments: "{}" },
        ],
      },
    );
    peer.on(
      { userMessage: "limited" },
      { error: { message: "Slow down", type: "rate_limit_error" }, status: 429, retryAfter: 3 },
    );
    await peer.start();
    provider = subject.create(peer.url);
  });
  afterAll(() => peer.stop());

  it("streams a plain answer in several pieces", async () => {
    const events = await collect(provider, ask(model, "plain", { system: "Be plain." }));
    expect(textOfEvents(events)).toBe("A plain answer, 🌍 and all.");
    expect(events.length).toBeGreaterThan(3);
    expect(finishOfEvents(events).reason).toBe("stop");
  });

  it.runIf(has("thinking"))("streams thinking apart from text and says when it ends", async () => {
    const events = await collect(provider, ask(model, "think", { reasoning: "low" }));
    expect(thinkingOfEvents(events)).toBe("First this, then that.");
    expect(textOfEvents(events)).toBe("Done.");
    const order = events.map((event) => event.type);
    expect(order.indexOf("thinking-end")).toBeGreaterThan(order.lastIndexOf("thinking-delta"));
    expect(order.indexOf("thinking-end")).toBeLessThan(order.indexOf("text-delta"));
  });

  it("hands over parallel tool calls whole, in order, with ids of their own", async () => {
    const events = await collect(provider, ask(model, "tools", { tools: TOOLS }));
    const calls = events.flatMap((event) => (event.type === "tool-call" ? [event] : []));
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ["weather", { city: "Zürich", days: 2 }],
      ["clock", {}],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2);
    expect(finishOfEvents(events).reason).toBe("tool-calls");
  });

  it("carries tool results back to the vendor", async () => {
    const callId = "call_1";
    peer.on({ toolCallId: callId }, { content: "It rains." });
    peer.on({ userMessage: "weather?", hasToolResult: true }, { content: "It rains." });
    const events = await collect(provider, {
      model,
      tools: TOOLS,
      messages: [
        { role: "user", parts: [{ type: "text", text: "weather?" }] },
        {
          role: "assistant",
          parts: [{ type: "tool-call", callId, name: "weather", input: { city: "Bern" }, step: 0 }],
        },
        { role: "user", parts: [{ type: "tool-result", callId, output: { sky: "rain" }, isError: false, step: 0 }] },
      ],
    });
    expect(textOfEvents(events)).toBe("It rains.");
  });

  it.runIf(has("usage"))("counts what the vendor counted", async () => {
    const { usage } = finishOfEvents(await collect(provider, ask(model, "count")));
    expect(usage).toEqual({ inputTokens: 11, outputTokens: 3, cachedTokens: 0 });
  });

  it.runIf(has("finish"))("says when the answer hit its limit", async () => {
    expect(finishOfEvents(await collect(provider, ask(model, "long"))).reason).toBe("length");
  });

  it("passes the vendor's wish to wait on", async () => {
    const failure = failureOfEvents(await collect(provider, ask(model, "limited")));
    expect(failure).toMatchObject({ kind: "rate_limited", retryable: true, retryAfterMs: 3_000 });
  });
}

/** Runs the whole contract for one adapter. */
export function describeProviderContract(subject: ContractSubject): void {
  describe(`${subject.name} keeps the provider contract`, () => {
    describe("on the wire", () => describeWire(subject));
    describe("with an independent peer", () => describePeer(subject));
  });
}
