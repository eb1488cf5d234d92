import { describe, expect, it } from "vitest";
import type { Part } from "../../contract/message.ts";
import { boundedOutcome, MAX_TOOL_OUTPUT_BYTES, MAX_TURN_OUTPUT_BYTES } from "./tool-call.ts";

const sized = (bytes: number) => ({ output: "x".repeat(bytes - 2), isError: false });
const result = (bytes: number): Part => ({ type: "tool-result", callId: "c", step: 0, ...sized(bytes) });

describe("a tool's outcome", () => {
  it("is kept as it is up to 256 KiB, and told to be too large beyond", () => {
    expect(boundedOutcome(sized(MAX_TOOL_OUTPUT_BYTES), [])).toEqual(sized(MAX_TOOL_OUTPUT_BYTES));
    expect(boundedOutcome(sized(MAX_TOOL_OUTPUT_BYTES + 1), [])).toMatchObject({ isError: true });
  });

  it("fits with all the others into the row that holds the answer", () => {
    const parts = [result(MAX_TURN_OUTPUT_BYTES - 1_000)];
    expect(boundedOutcome(sized(1_000), parts).isError).toBe(false);
    expect(boundedOutcome(sized(1_001), parts).isError).toBe(true);
  });

  it("that no JSON can hold is an error that the model reads", () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(boundedOutcome({ output: loop, isError: false }, [])).toMatchObject({ isError: true });
    expect(boundedOutcome({ output: 1n, isError: false }, [])).toMatchObject({ isError: true });
  });

  it("that is nothing is null, which JSON can say", () => {
    expect(boundedOutcome({ output: undefined, isError: false }, [])).toEqual({ output: null, isError: false });
  });
});
