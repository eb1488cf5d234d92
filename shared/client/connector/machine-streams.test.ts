import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  decodeData,
  decodeMachineFrame,
  encodeData,
  MAX_STREAMS,
  type MachineFrame,
  type StackFrame,
  WINDOW_BYTES,
} from "../../contract/connector-frames.ts";
import { type MachineAnswer, type MachineRequest, MachineStreams } from "./machine-streams.ts";

const WELCOME: StackFrame = {
  type: "welcome",
  protocol: 1,
  features: [],
  connectorId: "01890000-0000-7000-8000-000000000001",
  name: "desk",
  stamp: "t".repeat(43),
};

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

function aMachine(serve: (request: MachineRequest) => Promise<MachineAnswer>) {
  const sent: MachineFrame[] = [];
  const data: { stream: number; bytes: Uint8Array }[] = [];
  const streams = new MachineStreams({
    send: (frame) => {
      if (typeof frame === "string") {
        const decoded = decodeMachineFrame(frame);
        if (!decoded.ok) throw new Error(`sent ${frame}: ${decoded.reason}`);
        sent.push(decoded.frame);
      } else {
        const decoded = decodeData(frame);
        if (decoded.ok) data.push(decoded.frame);
      }
    },
    isBusy: () => false,
    serve,
    welcomed: () => {},
  });
  const tell = (frame: StackFrame): string | null => streams.receive(JSON.stringify(frame));
  const open = (stream: number, change: Partial<Extract<StackFrame, { type: "open" }>> = {}): string | null =>
    tell({
      type: "open",
      stream,
      upstream: "ollama",
      method: "GET",
      path: "/",
      headers: [],
      hasBody: false,
      ...change,
    });
  return { streams, sent, data, tell, open };
}

const answering =
  (...parts: Uint8Array[]) =>
  async (): Promise<MachineAnswer> => ({ status: 200, headers: [], body: chunks(...parts) });
const never = (): Promise<MachineAnswer> => new Promise(() => {});

describe("the machine's end", () => {
  test("answers with headers, the body and the end, in this order", async () => {
    const { sent, data, open, streams } = aMachine(answering(new Uint8Array([1, 2]), new Uint8Array([3])));
    open(5);
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    expect(sent.map(({ type }) => type)).toEqual(["headers", "end"]);
    expect(data.flatMap(({ stream, bytes }) => [stream, ...bytes])).toEqual([5, 1, 2, 5, 3]);
    expect(streams.size).toBe(0);
  });

  test("hands a body over as it comes, and gives credit for what was read", async () => {
    let read = 0;
    const { sent, open, streams, tell } = aMachine(async ({ body }) => {
      for await (const chunk of body ?? []) read += chunk.byteLength;
      return { status: 204, headers: [], body: chunks() };
    });
    open(1, { hasBody: true });
    for (let sentBytes = 0; sentBytes < WINDOW_BYTES; sentBytes += 65_536) {
      streams.receive(encodeData(1, new Uint8Array(65_536)));
    }
    await vi.waitFor(() => expect(read).toBe(WINDOW_BYTES));
    const credit = sent.flatMap((frame) => (frame.type === "credit" ? [frame.bytes] : []));
    expect(credit.reduce((total, bytes) => total + bytes, 0)).toBe(WINDOW_BYTES);
    tell({ type: "end", stream: 1 });
    await vi.waitFor(() => expect(sent.at(-1)).toEqual({ type: "end", stream: 1 }));
  });

  test("ends what was reset, and says no more of it", async () => {
    let signal: AbortSignal | undefined;
    const { sent, open, streams, tell } = aMachine((request) => {
      signal = request.signal;
      return never();
    });
    open(1);
    tell({ type: "reset", stream: 1, message: "enough" });
    expect([signal?.aborted, streams.size, sent]).toEqual([true, 0, []]);
  });

  test("resets a stream whose model server broke off", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([1]);
      throw new Error("it broke off");
    }
    const { sent, open } = aMachine(async () => ({ status: 200, headers: [], body: broken() }));
    open(1);
    await vi.waitFor(() => expect(sent.at(-1)).toEqual({ type: "reset", stream: 1, message: "it broke off" }));
  });

  test("gives up everything at a new welcome: the stack has forgotten it", () => {
    const signals: AbortSignal[] = [];
    const { open, streams, tell } = aMachine((request) => {
      signals.push(request.signal);
      return never();
    });
    open(1);
    open(2);
    tell(WELCOME);
    expect([signals.map(({ aborted }) => aborted), streams.size]).toEqual([[true, true], 0]);
  });

  test("takes no more streams than agreed, and ends a connection that opens more without answering", async () => {
    const { sent, open, streams, tell } = aMachine(never);
    for (let stream = 1; stream <= MAX_STREAMS; stream++) expect(open(stream)).toBeNull();
    expect(open(MAX_STREAMS + 1)).toContain("more streams");
    expect([streams.size, sent]).toEqual([MAX_STREAMS, []]);
    tell({ type: "reset", stream: 1, message: "enough" });
    expect(open(MAX_STREAMS + 2)).toBeNull();
  });

  test("names what a hostile server did wrong, and takes no harm", () => {
    const { open, streams, tell } = aMachine(never);
    open(1, { hasBody: true });
    expect(open(1)).toContain("opened twice");
    expect(streams.receive(encodeData(1, new Uint8Array(200_000)))).toBeNull();
    expect(streams.receive(encodeData(1, new Uint8Array(200_000)))).toBeNull();
    expect(streams.receive(encodeData(1, new Uint8Array(200_000)))).toContain("more data");
    for (let times = 0; times < 2; times++) tell({ type: "credit", stream: 1, bytes: 16 * 1024 * 1024 });
    expect(tell({ type: "credit", stream: 1, bytes: 16 * 1024 * 1024 })).toContain("too much credit");
    expect(streams.receive("{")).toContain("not JSON");
    expect(streams.receive(new Uint8Array(3))).toContain("too short");
    expect(streams.receive('{"type":"later"}')).toBeNull();
  });

  test("never throws, whatever is sent in whatever order", async () => {
    const stream = fc.integer({ min: -1, max: 4 });
    const frame = fc.oneof(
      fc.record({ type: fc.constantFrom("open", "end", "reset", "credit", "welcome", "other"), stream }).map((base) =>
        JSON.stringify({
          ...WELCOME,
          upstream: "ollama",
          method: "GET",
          path: "/",
          headers: [],
          hasBody: base.stream % 2 === 0,
          message: "m",
          bytes: 70_000,
          ...base,
        }),
      ),
      fc.tuple(stream, fc.uint8Array({ maxLength: 50 })).map(([of, bytes]) => encodeData(Math.max(0, of), bytes)),
      fc.uint8Array({ maxLength: 20 }),
      fc.string(),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 60 }), async (frames) => {
        const { streams } = aMachine(answering(new Uint8Array(100_000)));
        for (const each of frames) streams.receive(each);
        await Promise.resolve();
        streams.end();
        expect(streams.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
