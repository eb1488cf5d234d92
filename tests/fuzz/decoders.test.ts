import { describe, expect, it } from "vitest";
import { decodeServerFrame } from "../../shared/client/decode-frame.ts";
import { decodeClientFrame } from "../../shared/contract/frames.ts";
import { frameInputs, serverFrameInputs } from "./frame-inputs.ts";
import { expectPlain } from "./fuzz-frames.ts";

const SEED = 20_261_121;

describe("decoding whatever comes", () => {
  it("answers every client frame with a frame or with one plain error, however nasty", () => {
    let refused = 0;
    for (const [index, input] of frameInputs(SEED, 3_000).entries()) {
      const decoded = typeof input === "string" ? decodeClientFrame(input) : null;
      if (!decoded || decoded.ok) continue;
      refused++;
      expectPlain(index, decoded.error);
    }
    expect(refused).toBeGreaterThan(1_500);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }, 30_000);

  it("reads every server frame as a frame or as nothing", () => {
    for (const text of serverFrameInputs(SEED, 3_000)) {
      const frame = decodeServerFrame(text);
      expect(frame === null || typeof frame.type === "string").toBe(true);
    }
  }, 30_000);
});
