import { describe, expect, it } from "vitest";
import type { Part } from "../../contract/message.ts";
import { MAX_STEPS, nextStep } from "./next-step.ts";

const text: Part = { type: "text", text: "done" };
const call: Part = { type: "tool-call", callId: "c", name: "look", input: {}, step: 0 };
const result: Part = { type: "tool-result", callId: "c", output: 1, isError: false, step: 0 };
const at = { step: 0, steeringWaits: false };

describe("after a model's stream has finished", () => {
  it("the tools that it asked for run", () => {
    expect(nextStep({ ...at, parts: [text, call] })).toEqual({ kind: "run-tools", calls: [call] });
  });

  it("their results go back to the model, and only those of this step", () => {
    expect(nextStep({ ...at, parts: [call, result] }).kind).toBe("step");
    expect(nextStep({ ...at, step: 1, parts: [call, result, text] }).kind).toBe("finish");
  });

  it("a message that waits gets one more step of the same turn, after the tools", () => {
    expect(nextStep({ ...at, steeringWaits: true, parts: [text] }).kind).toBe("step");
    expect(nextStep({ ...at, steeringWaits: true, parts: [call] }).kind).toBe("run-tools");
  });

  it("the steps are bounded, and the end says why", () => {
    const last = { step: MAX_STEPS - 1, steeringWaits: true };
    expect(nextStep({ ...last, parts: [text] }).kind).toBe("finish");
    const parts = [
      { ...call, step: last.step },
      { ...result, step: last.step },
    ] as Part[];
    expect(nextStep({ ...last, parts })).toMatchObject({ kind: "too-many", why: expect.stringContaining("32") });
  });
});
