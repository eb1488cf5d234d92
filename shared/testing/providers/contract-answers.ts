/** What an adapter makes of answers that keep the vendor's word, however the network cuts them. */
import { describe, expect, it } from "vitest";
import type { ModelEvent, PromptPart } from "../../ports/model-provider.ts";
import { ask, failureOfEvents, finishOfEvents, textOfEvents, thinkingOfEvents } from "./collect-events.ts";
import type { ContractSubject } from "./contract-subject.ts";
import { SHORT, TEXTS, WHOLE, type Wired, wireUp } from "./contract-wire.ts";

const callsOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === "tool-call" ? [event] : []));

function describeContent({ wire, model }: ContractSubject, wired: Wired): void {
  it("delivers the text as sent and one finish with usage, cached tokens inside the input", async () => {
    wired.answerWith(wire.answer(TEXTS));
    const events = await wired.run();
    expect(textOfEvents(events)).toBe(WHOLE);
    const finish = finishOfEvents(events);
    expect(finish).toMatchObject({ reason: "stop", model: "m", usage: { inputTokens: 17, outputTokens: 7 } });
    expect(finish.usage.cachedTokens).toBe(wire.cachedTokens);
  });

  it("puts characters together again that the network split byte by byte", async () => {
    wired.answerWith(Array.from(wired.bytes(["é🌍終"]), (byte) => Uint8Array.of(byte)));
    expect(textOfEvents(await wired.run())).toBe("é🌍終");
  });

  it("passes over events it does not know", async () => {
    const [open = "", ...rest] = wire.answer(TEXTS);
    wired.answerWith([open, wire.unknownEvent, ...rest]);
    expect(textOfEvents(await wired.run())).toBe(WHOLE);
  });

  it("streams thinking apart from text, and keeps what proves it for the next request", async () => {
    wired.answerWith(wire.thinking("hm, hm"));
    const events = await wired.run({}, ask(model, "think", { reasoning: "high" }));
    expect([thinkingOfEvents(events), textOfEvents(events)]).toEqual(["hm, hm", "Done."]);
    const end = events.findIndex(({ type }) => type === "thinking-end");
    expect(end).toBeLessThan(events.findIndex(({ type }) => type === "text-delta"));
    const proof = events[end];
    const signature = proof?.type === "thinking-end" ? proof.signature : undefined;
    expect(signature !== undefined).toBe(wire.signature !== null);
    if (wire.signature === null) return;
    const asked = wired.server.requests.length;
    const thinking: PromptPart = { type: "thinking", text: "hm, hm", ...(signature ? { signature } : {}) };
    await wired.run({}, { model, messages: [{ role: "assistant", parts: [thinking] }, ...ask(model, "on").messages] });
    expect(JSON.stringify(wired.server.requests[asked]?.body)).toContain(wire.signature);
  });

  it("hands over parallel calls whole, in order, each with an id of its own", async () => {
    wired.answerWith(wire.calls);
    const events = await wired.run();
    const calls = callsOf(events);
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ["weather", { city: "Zürich" }],
      ["clock", {}],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2);
    expect(finishOfEvents(events).reason).toBe("tool-calls");
  });

  it("says that an answer hit its limit, or was refused", async () => {
    for (const reason of ["length", "refusal"] as const) {
      const pieces = wire.ending(reason);
      if (!pieces) continue;
      wired.answerWith(pieces);
      const events = await wired.run();
      expect([reason, finishOfEvents(events).reason]).toEqual([reason, reason]);
    }
  });

  it("shows an image with its bytes, and names one that it cannot show", async () => {
    const asked = wired.server.requests.length;
    const image = { type: "image", fileId: "f", name: "cat.png", mediaType: "image/png" } as const;
    const parts: PromptPart[] = [
      { type: "text", text: "What is this?" },
      { ...image, data: "aGVsbG8=" },
      { ...image, name: "gone.png" },
      { ...image, name: "odd.tiff", mediaType: "image/tiff", data: "aGVsbG8=" },
    ];
    wired.answerWith(wire.answer(["A cat."]));
    await wired.run({}, { model, messages: [{ role: "user", parts }] });
    const body = JSON.stringify(wired.server.requests[asked]?.body);
    const shown = JSON.stringify(wire.image("image/png", "aGVsbG8=")).replace(/^\{|\}$/g, "");
    expect(body.split(shown)).toHaveLength(2);
    expect(body).toContain("What is this?");
    for (const name of ["gone.png", "odd.tiff"]) expect(body).toContain(name);
    expect(body).not.toContain("cat.png");
  });
}

function describeFlow({ wire, model }: ContractSubject, wired: Wired): void {
  it("does not time out a stream that is slow but alive", async () => {
    wired.answerWith(wire.answer(Array.from({ length: 12 }, () => "x")), "end", 60);
    finishOfEvents(await wired.run({ idleTimeoutMs: 500 }));
  });

  it("gives a sign of life for bytes that are no event yet", async () => {
    wired.answerWith([wired.bytes().slice(0, 5)], "hang");
    let signs = 0;
    await wired.run({ ...SHORT, onActivity: () => void signs++ });
    expect(signs).toBeGreaterThan(0);
  });

  it("does not blame the vendor while its reader takes its time", async () => {
    wired.answerWith(wire.answer(TEXTS));
    const events = [];
    for await (const event of wired.provider().stream(ask(model, "hello"), {
      signal: new AbortController().signal,
      ...SHORT,
    })) {
      events.push(event);
      if (events.length === 1) await new Promise((resolve) => setTimeout(resolve, 500));
    }
    finishOfEvents(events);
  });

  it("sends nothing when it was stopped before", async () => {
    const before = wired.server.requests.length;
    expect(failureOfEvents(await wired.run({ signal: AbortSignal.abort() })).kind).toBe("aborted");
    expect(wired.server.requests.length).toBe(before);
  });

  it("stops in the middle: one failure, the connection closed", async () => {
    wired.answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    const controller = new AbortController();
    const events = [];
    for await (const event of wired.provider().stream(ask(model, "hello"), { signal: controller.signal })) {
      events.push(event);
      if (event.type === "text-delta") controller.abort();
    }
    expect(failureOfEvents(events)).toMatchObject({ kind: "aborted", retryable: false });
    await wired.server.clientLeft();
  });

  it("closes the connection when its reader leaves early", async () => {
    wired.answerWith(wire.answer(TEXTS).slice(0, 2), "hang");
    for await (const event of wired.provider().stream(ask(model, "hello"), { signal: new AbortController().signal })) {
      if (event.type === "text-delta") break;
    }
    await wired.server.clientLeft();
  });

  it("uses a finished answer's connection again", async () => {
    wired.answerWith(wire.answer(TEXTS));
    await wired.run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = wired.server.connections();
    await wired.run();
    expect(wired.server.connections()).toBe(before);
  });

  it("hands tokens on as they come", async () => {
    wired.answerWith(wire.answer(TEXTS), "end", 40);
    const times: number[] = [];
    for await (const event of wired.provider().stream(ask(model, "hello"), { signal: new AbortController().signal })) {
      if (event.type === "text-delta") times.push(performance.now());
    }
    expect(times).toHaveLength(TEXTS.length);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
  });
}

export function describeAnswers(subject: ContractSubject): void {
  const wired = wireUp(subject);
  describe("what comes", () => describeContent(subject, wired));
  describe("how it comes", () => describeFlow(subject, wired));
}
