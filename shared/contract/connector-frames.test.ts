import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeData,
  decodeMachineFrame,
  decodeStackFrame,
  encodeData,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
  MAX_UPSTREAMS,
} from "./connector-frames.ts";

const HELLO = { type: "hello", protocol: 1, client: { name: "mosaic connect", version: "1" }, upstreams: [] };
const upstream = (name: string) => ({ name, kind: "ollama" });
const machine = (value: unknown) => decodeMachineFrame(JSON.stringify(value)).ok;

describe("data frames", () => {
  test("come back as they were sent, whatever the bytes and wherever they lie in memory", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), fc.uint8Array(), fc.nat(9), (stream, bytes, before) => {
        const encoded = encodeData(stream, bytes);
        const shifted = new Uint8Array(before + encoded.byteLength);
        shifted.set(encoded, before);
        const decoded = decodeData(shifted.subarray(before));
        expect(decoded).toEqual({ ok: true, frame: { stream, bytes } });
      }),
    );
  });

  test("of another type, for no stream, too short or too long are refused", () => {
    const good = encodeData(7, new Uint8Array([1, 2]));
    for (const frame of [
      Uint8Array.from([2, ...good.subarray(1)]),
      encodeData(0, new Uint8Array([1])),
      good.subarray(0, 4),
      new Uint8Array(),
      encodeData(1, new Uint8Array(MAX_FRAME_BYTES)),
    ]) {
      expect(decodeData(frame).ok).toBe(false);
    }
  });
});

describe("control frames", () => {
  test("that no machine may send are refused, each for its reason", () => {
    expect(machine(HELLO)).toBe(true);
    for (const wrong of [
      { ...HELLO, extra: 1 },
      { ...HELLO, upstreams: [upstream("ollama"), upstream("ollama")] },
      { ...HELLO, upstreams: Array.from({ length: MAX_UPSTREAMS + 1 }, (_, index) => upstream(`u${index}`)) },
      { ...HELLO, upstreams: [upstream("../etc")] },
      { type: "headers", stream: 0, status: 200, headers: [] },
      { type: "headers", stream: 1, status: 101, headers: [] },
      { type: "headers", stream: 1, status: 200, headers: [["bad name", "x"]] },
      { type: "headers", stream: 1, status: 200, headers: [["x", "line\r\nbreak"]] },
      { type: "headers", stream: 1, status: 200, headers: [["x", "y".repeat(MAX_HEADER_BYTES)]] },
      { type: "credit", stream: 1, bytes: 0 },
      { type: "credit", stream: 1, bytes: 1e12 },
      { type: "credit", stream: 2 ** 32, bytes: 1 },
      { type: "open", stream: 1, upstream: "ollama", method: "GET", path: "/", headers: [], hasBody: false },
      { type: "welcome" },
      null,
      [],
      7,
    ]) {
      expect(machine(wrong), JSON.stringify(wrong)?.slice(0, 80)).toBe(false);
    }
  });

  test("of a later stack are ignored; broken ones of ours are not", () => {
    expect(decodeStackFrame('{"type":"motd","text":"hi"}')).toBeNull();
    expect(decodeStackFrame('{"type":"credit","stream":1,"bytes":5,"later":true}')).toMatchObject({ ok: true });
    expect(decodeStackFrame('{"type":"credit","stream":1}')).toMatchObject({ ok: false });
    expect(decodeStackFrame('{"stream":1}')).toMatchObject({ ok: false });
  });

  test("never throw, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        decodeMachineFrame(text);
        decodeStackFrame(text);
      }),
    );
    expect(decodeMachineFrame("x".repeat(MAX_FRAME_BYTES + 1))).toEqual({
      ok: false,
      reason: "a frame is longer than 256 KiB",
    });
  });
});
