import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeClientFrame, MAX_FRAME_BYTES } from "./frames.ts";

const id = "01890000-0000-7000-8000-000000000001";
const send = (fields: object) => decodeClientFrame(JSON.stringify({ type: "message:send", id, ...fields }));

describe("decoding a client frame", () => {
  it("reads a message and fills in what it leaves out", () => {
    expect(send({ text: "hi" })).toEqual({
      ok: true,
      frame: { type: "message:send", id, text: "hi", whenBusy: "queue" },
    });
  });

  it("drops NUL bytes and mends lone surrogates, because Postgres holds neither", () => {
    const decoded = send({ text: "a\0b\ud800c" });
    expect(decoded).toMatchObject({ ok: true, frame: { text: "ab\ufffdc" } });
  });

  it.each([
    ["not json", "{", "invalid_json"],
    ["an unknown type", JSON.stringify({ type: "nope" }), "invalid_request"],
    ["a wrong id", JSON.stringify({ type: "message:send", id: "7", text: "x" }), "invalid_request"],
    ["an unknown field", JSON.stringify({ type: "received", seq: 1, sequence: 1 }), "unknown_field"],
    ["nothing at all", JSON.stringify({ type: "message:send", id }), "invalid_request"],
    ["only white space", JSON.stringify({ type: "message:send", id, text: "  \n" }), "invalid_request"],
    [
      "text and parts",
      JSON.stringify({ type: "message:send", id, text: "x", parts: [{ type: "text", text: "y" }] }),
      "invalid_request",
    ],
    ["null", "null", "invalid_request"],
    ["an array", "[]", "invalid_request"],
  ])("answers %s with an error that says why", (_what, text, code) => {
    const decoded = decodeClientFrame(text);
    expect(decoded.ok).toBe(false);
    if (!decoded.ok) expect(decoded.error).toMatchObject({ code, message: expect.stringMatching(/\w+/) });
  });

  it("names the field at fault and keeps the frame's id", () => {
    const decoded = send({ text: 7 });
    expect(decoded).toMatchObject({ ok: false, id, error: { errors: [{ path: "text" }] } });
    expect(send({ text: "x", colour: "red" })).toMatchObject({
      ok: false,
      error: { code: "unknown_field", errors: [{ path: "colour" }] },
    });
  });

  it("tells little of a frame that is wrong in very many or very long ways", () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_unused, index) => [`k${index}`, 0]));
    for (const fields of [many, { ["k".repeat(200_000)]: 0 }, { "\n\u202e": 0 }]) {
      const decoded = send(fields);
      expect(JSON.stringify(decoded).length).toBeLessThan(4_000);
      expect(decoded.ok || decoded.error.message).toMatch(/^[^\p{C}]{1,300}$/u);
    }
  });

  it("refuses one byte more than a mebibyte, counted as UTF-8", () => {
    const shell = JSON.stringify({ type: "message:send", id, text: "" }).length;
    const text = "é".repeat((MAX_FRAME_BYTES - shell) / 2 + 1);
    expect(send({ text })).toMatchObject({ ok: false, error: { code: "too_large" } });
  });

  it("never throws, whatever comes", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof decodeClientFrame(text).ok === "boolean"));
  });
});
