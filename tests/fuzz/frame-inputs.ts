/** What a broken or hostile client may put on the socket: the same inputs for a seed, wherever they are replayed. */
import fc from "fast-check";
import { ERROR_CODES } from "../../shared/contract/errors.ts";
import { MAX_FRAME_BYTES } from "../../shared/contract/frames.ts";

export type FrameInput = string | ArrayBuffer;

const uuid = fc.uuid();
const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme-composite" }),
  fc.constantFrom(
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udc00\ud800",
    "\u202e\u2066",
    "'; drop table messages; --",
    "<script>alert(1)</script>",
    "{{7*7}}#{7*7}",
    "../../etc/passwd",
    "%00%s%n",
    "\r\ndata: x\r\n\r\n",
    "🧨".repeat(2_000),
    "x".repeat(100_000),
  ),
);

const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(
    null,
    true,
    0,
    -0,
    -1,
    1.5,
    1e21,
    2 ** 53,
    Number.MAX_VALUE,
    [],
    {},
    [[]],
    { toString: 1 },
    { length: -1 },
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(fc.integer(), { maxLength: 200 }),
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>,
);

/** Frames of the contract's shape whose content is anything at all. */
const validFrame: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant("message:send"), id: uuid, text: hostileText }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("turn:stop"),
      id: uuid,
      turnId: uuid,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("command:execute"), id: uuid, command: hostileText }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("tool:answer"),
      id: uuid,
      callId: hostileText,
      decision: fc.constantFrom("allow-once", "allow-always", "deny"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("received"), seq: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("hello"),
      protocol: fc.constant(1),
      client: fc.record({ name: hostileText, version: hostileText, kind: fc.constantFrom("web", "tui", "api") }),
      since: fc.integer({ min: 10_000, max: 2 ** 40 }),
    }),
  },
);

/** As the contract has it, but for what one hand changed: fields taken away, replaced, added. */
const mutatedFrame = fc
  .tuple(
    validFrame,
    fc.array(
      fc.tuple(
        fc.constantFrom("remove", "replace", "replace", "add"),
        fc.nat({ max: 9 }),
        fc.oneof(fc.constantFrom("__proto__", "constructor", "toString", "id", "type", "seq", "\n", ""), hostileText),
        hostileValue,
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([frame, changes]) => {
    let fields = Object.entries(frame);
    for (const [how, index, name, value] of changes) {
      const at = fields.length === 0 ? 0 : index % fields.length;
      if (how === "remove") fields = fields.filter((_field, each) => each !== at);
      else if (how === "add") fields.push([name, value]);
      else fields = fields.map((field, each) => (each === at ? [field[0], value] : field));
    }
    // Written by hand: a key may come twice, and `__proto__` is a key like any other.
    return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  });

const cutFrame = fc
  .tuple(
    validFrame.map((frame) => JSON.stringify(frame)),
    fc.nat({ max: 300 }),
    fc.string({ maxLength: 3 }),
  )
  .map(
    ([text, at, inserted]) => text.slice(0, at) + inserted + text.slice(at + (inserted.length > 1 ? 1 : text.length)),
  );

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);
const ID = "01890000-0000-7000-8000-00000000f022";
const manyFields = (count: number): string =>
  `{"type":"received","seq":0${Array.from({ length: count }, (_unused, index) => `,"k${index}":0`).join("")}}`;

/** Each of these took something down somewhere once. */
const nasties: readonly FrameInput[] = [
  "",
  " ",
  "null",
  "[]",
  "{}",
  "0",
  '""',
  "true",
  "NaN",
  "{'type':'hello'}",
  "\ufeff{}",
  "pong",
  "ping ",
  nested("[", "]", 100_000),
  nested('{"a":', "}", 50_000),
  `{"type":${nested("[", "]", 20_000)}}`,
  `{"type":"message:send","id":"${ID}","parts":${nested("[", "]", 10_000)}}`,
  `{"type":"message:send","id":"${ID}","parts":[${'{"type":"text"},'.repeat(5_000)}{}]}`,
  manyFields(20_000),
  `{"type":"received","seq":0,"${"k".repeat(200_000)}":1}`,
  `{"type":"${"t".repeat(200_000)}"}`,
  `{"type":"received","seq":0,"\\n\\u2028\\u202e":1}`,
  '{"__proto__":{"type":"hello"}}',
  '{"type":"received","seq":0,"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}},"type":"received","seq":0}',
  '{"type":"hello","type":"received","seq":0}',
  '{"type":"received","seq":9007199254740993}',
  '{"type":"received","seq":1e400}',
  '{"type":"received","seq":-1}',
  '{"type":["hello"],"protocol":1}',
  '{"type":"toString"}',
  '{"type":"__proto__"}',
  `{"type":"message:send","id":"${ID.toUpperCase()}","text":7}`,
  `{"type":"message:send","id":"${ID}","text":"x","parts":[{"type":"text","text":"x"}]}`,
  `{"type":"message:send","id":"${ID}\\u0000","text":"x"}`,
  `{"type":"message:send","id":"${ID}","text":"x","whenBusy":"now"}`,
  `{"type":"message:send","id":"${ID}","parts":[{"type":"tool-result","callId":"1","output":"x","isError":false,"step":1}]}`,
  `{"type":"message:send","id":"${ID}","parts":[{"type":"image","fileId":"../../x","mediaType":"image/png","name":"x"}]}`,
  "x".repeat(MAX_FRAME_BYTES),
  "x".repeat(MAX_FRAME_BYTES + 1),
  "é".repeat(MAX_FRAME_BYTES / 2 + 1),
  `"${"\\u0000".repeat(10_000)}"`,
  new ArrayBuffer(0),
  new ArrayBuffer(1),
  new Uint8Array([0xff, 0xfe, 0xfd]).buffer,
  new TextEncoder().encode('{"type":"received","seq":0}').buffer as ArrayBuffer,
  new ArrayBuffer(100_000),
];

const anyFrame: fc.Arbitrary<FrameInput> = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 12, arbitrary: mutatedFrame },
  { weight: 6, arbitrary: cutFrame },
  { weight: 2, arbitrary: validFrame.map((frame) => JSON.stringify(frame)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes).buffer) },
);

/** So many inputs of a seed: all the nasties first, then any frame, with one of them here and there. */
export function frameInputs(seed: number, count: number): FrameInput[] {
  const anything = fc
    .sample(fc.tuple(anyFrame, fc.nat({ max: 100 * nasties.length })), { seed, numRuns: count })
    .map(([frame, pick]) => nasties[pick] ?? frame);
  return [...nasties, ...anything].slice(0, count);
}

/** What may come from a server that is newer, broken or somebody else's. */
export function serverFrameInputs(seed: number, count: number): string[] {
  const field = fc.oneof(hostileValue, uuid, fc.nat(), fc.constantFrom(...ERROR_CODES, "2026-11-21T00:00:00.000Z"));
  const names = ["seq", "at", "event", "turnId", "messageId", "parts", "part", "kind", "offset", "text", "id", "code"];
  const types = ["welcome", "ack", "event", "message:delta", "message:snapshot", "session:info", "error", "later"];
  const frame = fc
    .tuple(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...names, "message", "__proto__"), field))
    .map(([type, fields]) => JSON.stringify({ type, ...fields }));
  const text = fc.oneof(frame, fc.json(), fc.string({ unit: "binary" }));
  const written = nasties.filter((nasty) => typeof nasty === "string");
  return [...written, ...fc.sample(text, { seed, numRuns: Math.max(0, count - written.length) })];
}
