/** What an adapter makes of everything that can go wrong at a vendor: each fault classified once, never thrown. */
import { describe, expect, it } from "vitest";
import { ProviderError, type ProviderErrorKind } from "../../ports/model-provider.ts";
import { ask, collect, failureOfEvents, textOfEvents } from "./collect-events.ts";
import type { ContractSubject } from "./contract-subject.ts";
import { SHORT, TEXTS, type Wired, wireUp } from "./contract-wire.ts";
import { startRawServer } from "./raw-server.ts";

const STATUSES: [number, ProviderErrorKind, boolean][] = [
  [400, "invalid_request", false],
  [401, "unauthenticated", false],
  [402, "quota_exceeded", false],
  [403, "forbidden", false],
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

/** Longer than any event of any vendor. */
const ENDLESS = 17;
const MEBIBYTE = "x".repeat(1024 * 1024);

function describeStreams({ wire }: ContractSubject, wired: Wired): void {
  it.each([
    ["inside a character", (whole: Uint8Array) => whole.slice(0, whole.indexOf(0xf0) + 2)],
    ["inside an event's JSON", (whole: Uint8Array) => whole.slice(0, whole.indexOf(0xf0) - 6)],
  ])("calls a connection lost %s cut, and keeps what came before", async (_where, cut) => {
    for (const end of ["end", "destroy"] as const) {
      wired.answerWith([cut(wired.bytes())], end);
      const events = await wired.run();
      expect(failureOfEvents(events)).toMatchObject({ kind: "stream_cut", retryable: true });
      expect(textOfEvents(events)).toBe(TEXTS[0]);
    }
  });

  it("calls a stream that ends politely but too early cut", async () => {
    wired.answerWith(wire.answer(TEXTS).slice(0, -1));
    expect(failureOfEvents(await wired.run()).kind).toBe("stream_cut");
  });

  it("calls an empty stream cut", async () => {
    wired.answerWith([]);
    expect(failureOfEvents(await wired.run()).kind).toBe("stream_cut");
  });

  it("times out without headers", async () => {
    wired.server.answer(() => undefined);
    expect(failureOfEvents(await wired.run(SHORT))).toMatchObject({ kind: "timeout", retryable: true });
    await wired.server.clientLeft();
  });

  it("times out when the stream stands still, and keeps what came before", async () => {
    wired.answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    const events = await wired.run(SHORT);
    expect(textOfEvents(events)).toBe(TEXTS[0]);
    expect(failureOfEvents(events).kind).toBe("timeout");
    await wired.server.clientLeft();
  });

  it("calls events that are not JSON a breach of protocol", async () => {
    const [open = ""] = wire.answer(TEXTS);
    wired.answerWith([open, wire.garbage]);
    expect(failureOfEvents(await wired.run()).kind).toBe("protocol");
  });

  it("calls a web page in place of an answer a breach of protocol", async () => {
    wired.server.answer((response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<h1>Sign in to the hotel's network</h1>");
    });
    expect(failureOfEvents(await wired.run()).kind).toBe("protocol");
  });

  it("reads an error inside the stream as the failure it is", async () => {
    const [open = "", first = ""] = wire.answer(TEXTS);
    wired.answerWith([open, first, wire.inStreamError]);
    const events = await wired.run();
    expect(textOfEvents(events)).toBe(TEXTS[0]);
    expect(failureOfEvents(events)).toMatchObject({ kind: "overloaded", retryable: true });
  });

  it("gives up on an event that does not end, instead of keeping all of it", async () => {
    const [open = "", first = ""] = wire.answer(TEXTS);
    const start = first.slice(0, first.indexOf("Gr"));
    wired.answerWith([open, start, ...Array.from({ length: ENDLESS }, () => MEBIBYTE)], "hang");
    expect(failureOfEvents(await wired.run())).toMatchObject({ kind: "protocol", retryable: true });
    await wired.server.clientLeft();
  }, 30_000);
}

function describeRefusals(subject: ContractSubject, wired: Wired): void {
  const { model } = subject;
  it("reads an error body in a 200 as the failure it is", async () => {
    wired.server.answer((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "upstream exploded", type: "api_error" } }));
    });
    expect(failureOfEvents(await wired.run())).toMatchObject({ kind: "server_error", retryable: true });
  });

  it.each(STATUSES)("classifies status %i as %s", async (status, kind, retryable) => {
    wired.server.answer((response) => {
      response.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
      response.end(JSON.stringify({ error: { message: "no", type: "unheard_of" } }));
    });
    const failure = failureOfEvents(await wired.run());
    expect(failure).toMatchObject({ kind, retryable, status, retryAfterMs: 7_000 });
    expect(failure.message).toMatch(/^[A-Z][^\n]+\.$/);
  });

  it("survives an error that is a web page, and one that never ends", async () => {
    wired.server.answer((response) => {
      response.writeHead(502, { "content-type": "text/html" });
      response.write("<html>".repeat(20_000));
    });
    expect(failureOfEvents(await wired.run())).toMatchObject({ kind: "server_error", status: 502 });
  });

  it("never shows the key, even where the vendor repeats it", async () => {
    for (const status of [200, 400, 401, 500]) {
      wired.server.answer((response) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          JSON.stringify({ error: { message: `Incorrect API key provided: ${subject.secret}`, type: "x" } }),
        );
      });
      expect(JSON.stringify(await wired.run())).not.toContain(subject.secret);
    }
  });

  it("says that nobody is there when nobody is", async () => {
    const closed = await startRawServer();
    await closed.close();
    const events = await collect(subject.create(closed.url), ask(model, "hello"));
    expect(failureOfEvents(events)).toMatchObject({ kind: "unreachable", retryable: true });
  });

  it("says so when the name of the host is nobody's", async () => {
    const events = await collect(subject.create("http://no-such-host.invalid:9"), ask(model, "hello"));
    expect(failureOfEvents(events)).toMatchObject({ kind: "unreachable", retryable: true });
  });

  it("reads a wish to wait that is a date", async () => {
    wired.server.answer((response) => {
      const later = new Date(Date.now() + 20_000).toUTCString();
      response.writeHead(429, { "content-type": "application/json", "retry-after": later });
      response.end(JSON.stringify({ error: { message: "no" } }));
    });
    const { kind, retryAfterMs = 0 } = failureOfEvents(await wired.run());
    expect([kind, retryAfterMs > 10_000 && retryAfterMs <= 20_000]).toEqual(["rate_limited", true]);
  });

  it("follows no redirect", async () => {
    const elsewhere = await startRawServer();
    wired.server.answer((response) => void response.writeHead(307, { location: `${elsewhere.url}/x` }).end());
    const failure = failureOfEvents(await wired.run());
    expect(failure).toMatchObject({ kind: "protocol", status: 307 });
    expect(failure.message).toContain("points to another address instead (307)");
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
  });

  it.each([401, 429, 503])("classifies a status of %i alike where the models are listed", async (status) => {
    wired.server.answer((response) => {
      response.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
      response.end(JSON.stringify({ error: { message: subject.secret, type: "unheard_of" } }));
    });
    const thrown: unknown = await wired
      .provider()
      .models(new AbortController().signal)
      .catch((error: unknown) => error);
    if (!(thrown instanceof ProviderError)) throw new Error("It listed models, or broke in another way.");
    expect(thrown.failure).toMatchObject({
      kind: failureOfEvents(await wired.run()).kind,
      status,
      retryAfterMs: 7_000,
    });
    expect(thrown.message).not.toContain(subject.secret);
  });
}

export function describeFaults(subject: ContractSubject): void {
  const wired = wireUp(subject);
  describe("streams that break", () => describeStreams(subject, wired));
  describe("requests that are refused", () => describeRefusals(subject, wired));
}
