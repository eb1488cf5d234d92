import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelEvent } from "../../ports/model-provider.ts";
import { EventFilter, HIDDEN, hideInSentence, hideInText } from "./hide-secrets.ts";

const KEY = "sk-Canary/0123+89abcDEF";
const GATE = "gate-4712-gate";
const encoded = (text: string): string => Buffer.from(text).toString("base64");

/** How servers repeat what they were shown. */
const FORMS: [string, string][] = [
  ["as it is", KEY],
  ["in capitals", KEY.toUpperCase()],
  ["in an address", encodeURIComponent(KEY)],
  ["in base64", encoded(KEY)],
  ["in the base64 of a user and a password", encoded(`api:${KEY}`)],
  ["in the base64 of a header", encoded(`Bearer ${KEY}`)],
  ["in base64 for addresses", Buffer.from(`x${KEY}`).toString("base64url")],
];
/** Whether enough of it is left to tell the secret. */
const tells = (text: string, form: string): boolean => {
  const lower = text.toLowerCase();
  const core = form.toLowerCase().slice(4, -4);
  return lower.includes(core) || lower.includes(KEY.toLowerCase());
};

describe("a secret in a text", () => {
  it.each(FORMS)("is hidden %s", (_how, form) => {
    for (const hide of [hideInSentence, hideInText]) {
      const text = hide([KEY], `It was ${form}, you know.`);
      expect(tells(text, form)).toBe(false);
      expect(text).toContain(HIDDEN);
    }
  });

  it("is hidden where only the header's own word for it is missing", () => {
    expect(hideInText([`Bearer ${KEY}`, `gate=${GATE}; x`], `${KEY} ${GATE}`)).toBe(`${HIDDEN} ${HIDDEN}`);
  });

  it("leaves words alone that stand for no secret", () => {
    const text = "LM-Studio is not-needed in production by the engineering-team";
    expect(hideInText(["lm-studio", "not-needed", "production", "engineering-team", "s3"], text)).toBe(text);
  });
});

/** A text in pieces of these lengths, again and again. */
function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

const run = (events: readonly ModelEvent[], secrets: readonly string[] = [KEY, GATE]): ModelEvent[] => {
  const filter = new EventFilter(secrets);
  return [...events.flatMap((event) => filter.pass(event)), ...filter.flush()];
};
const textOf = (events: readonly ModelEvent[], type: ModelEvent["type"] = "text-delta"): string =>
  events.flatMap((event) => (event.type === type && "text" in event ? [event.text] : [])).join("");
const delta = (text: string): ModelEvent => ({ type: "text-delta", text });
const thought = (text: string): ModelEvent => ({ type: "thinking-delta", text });
const input = (callId: string, text: string): ModelEvent => ({ type: "tool-input-delta", callId, name: "t", text });

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const word = fc.oneof(
  fc.constantFrom(...FORMS.map(([, form]) => form), GATE, KEY.slice(0, 9), GATE.slice(0, 5), "s", "sk", "g", "İ", "ß"),
  fc.string({ maxLength: 12 }),
);

describe("an answer in pieces", () => {
  it("is the same as the whole one would be, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), lengths, (words, sizes) => {
        const text = words.join(" ");
        const told = textOf(run(cut(text, sizes).map(delta)));
        expect(told).toBe(hideInText([KEY, GATE], text));
      }),
    );
  });

  it.each([
    ["thinking-delta" as const, thought],
    ["tool-input-delta" as const, (text: string) => input("c1", text)],
  ])("hides secrets in every %s", (type, event) => {
    for (const size of [1, 3, 7, 1_000])
      expect(textOf(run(cut(`a ${KEY} b`, [size]).map(event)), type)).toBe(`a ${HIDDEN} b`);
  });

  it("holds nothing back for longer than it may become a secret", () => {
    const filter = new EventFilter([KEY]);
    expect(filter.pass(delta("Yes, s"))).toEqual([delta("Yes, ")]);
    expect(filter.pass(delta("k"))).toEqual([]);
    expect(filter.pass(delta("i"))).toEqual([delta("ski")]);
    expect(filter.pass(delta("ing"))).toEqual([delta("ing")]);
    expect(filter.flush()).toEqual([]);
  });

  it("keeps its order, and finds the rest of a secret behind what came in between", () => {
    const [first, rest] = [KEY.slice(0, 8), KEY.slice(8)];
    const told = run([delta(`a ${first}`), thought("hm"), delta(`${rest} b`), input("c1", GATE), input("c2", "x")]);
    expect(told).toEqual([
      delta("a "),
      delta(first),
      thought("hm"),
      delta(`${HIDDEN} b`),
      input("c1", HIDDEN),
      input("c2", "x"),
    ]);
    expect(textOf(run([delta(first), thought(""), delta(rest)]))).toBe(HIDDEN);
  });

  it("hides the longer one of two secrets that begin alike", () => {
    const short = KEY.slice(0, 14);
    expect(textOf(run(cut(`${KEY} ${short}!`, [1]).map(delta), [short, KEY]))).toBe(`${HIDDEN} ${HIDDEN}!`);
    expect(textOf(run([delta(`a ${short}`), thought("hm")], [short, KEY]))).toBe(`a ${HIDDEN}`);
  });

  it("hides secrets in calls, proofs and names", () => {
    const call = { [KEY]: [`x ${KEY}`, { deep: KEY, n: 1, no: null }] };
    const told = run([
      { type: "tool-call", callId: KEY, name: KEY, input: call },
      { type: "thinking-end", signature: `s${KEY}`, redacted: KEY },
      {
        type: "finish",
        reason: "stop",
        usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
        model: `m-${KEY}`,
      },
    ]);
    expect(JSON.stringify(told).toLowerCase()).not.toContain("canary");
    expect(told[0]).toMatchObject({ input: { [HIDDEN]: [`x ${HIDDEN}`, { deep: HIDDEN, n: 1, no: null }] } });
  });

  it("is passed on as it is where there is no secret", () => {
    const events = [delta(KEY), thought(GATE), delta("s")];
    expect(run(events, [])).toEqual(events);
  });
});
