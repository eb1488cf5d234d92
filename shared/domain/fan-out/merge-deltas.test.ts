import { describe, expect, it } from "vitest";
import type { DeltaFrame } from "../../contract/frames.ts";
import { mergeDeltas } from "./merge-deltas.ts";

const delta = (offset: number, text: string, other: Partial<DeltaFrame> = {}): DeltaFrame => ({
  type: "message:delta",
  turnId: "t",
  messageId: "m",
  part: 0,
  kind: "text",
  offset,
  text,
  ...other,
});

describe("merging deltas", () => {
  it("keeps the first offset and every unit of text, in order", () => {
    expect(mergeDeltas(delta(3, "a🦊"), delta(6, "b"))).toEqual(delta(3, "a🦊b"));
  });

  it.each([
    ["another part", delta(4, "b", { part: 1 })],
    ["another kind", delta(4, "b", { kind: "thinking" })],
    ["another message", delta(4, "b", { messageId: "n" })],
    ["another turn", delta(4, "b", { turnId: "u" })],
    ["a hole", delta(5, "b")],
    ["a step back", delta(3, "b")],
  ])("refuses %s: it must stay a frame of its own", (_what, second) => {
    expect(mergeDeltas(delta(3, "a"), second)).toBeNull();
  });
});
