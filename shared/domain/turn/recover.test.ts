import { describe, expect, it } from "vitest";
import type { Part } from "../../contract/message.ts";
import { APPROVAL_MS, approvalDeadlineMs, newProgress, TURN_BUDGET_MS, type TurnProgress } from "./progress.ts";
import { MAX_RESTARTS, recoverTurn } from "./recover.ts";

const text: Part = { type: "text", text: "half an ans" };
const call = (callId: string, step = 0): Part => ({ type: "tool-call", callId, name: callId, input: {}, step });
const result = (callId: string, step = 0): Part => ({ type: "tool-result", callId, output: 1, isError: false, step });

const recover = (
  parts: Part[],
  progress: Partial<TurnProgress> = {},
  more: { restarts?: number; nowMs?: number } = {},
) =>
  recoverTurn(
    { startedAtMs: 0, restarts: more.restarts ?? 0, parts, progress: { ...newProgress(), ...progress } },
    (tool) => tool === "safe",
    more.nowMs ?? 1_000,
  );

describe("recovering a turn", () => {
  it("runs the step again when nothing was shown", () => {
    expect(recover([])).toEqual({ kind: "rerun", parts: [] });
    expect(recover([{ type: "thinking", text: "hm" }])).toEqual({ kind: "rerun", parts: [] });
  });

  it("continues what was shown instead of writing it anew", () => {
    expect(recover([text], {}, { restarts: 1 })).toEqual({ kind: "continue", parts: [text] });
  });

  it("drops calls that were still being written, and keeps every finished step", () => {
    const first = [text, call("safe"), result("safe")];
    const at = { step: 1, stepStart: 3 };
    expect(recover([...first, call("other", 1)], at)).toEqual({ kind: "rerun", parts: first });
    expect(recover([...first, text, call("other", 1)], at)).toEqual({ kind: "continue", parts: [...first, text] });
  });

  it("never runs a tool again that has its result", () => {
    expect(recover([call("harmful"), result("harmful")])).toEqual({ kind: "tools", ask: [] });
  });

  it("repeats a cut call only where that is safe, and asks otherwise", () => {
    const running = { state: "running" as const };
    expect(recover([call("safe")], { calls: { safe: running } })).toEqual({ kind: "tools", ask: [] });
    expect(recover([call("safe"), call("harmful")], { calls: { safe: running, harmful: running } })).toEqual({
      kind: "tools",
      ask: ["harmful"],
    });
  });

  it("does not ask twice what a person has answered and what never began", () => {
    expect(recover([call("harmful")], { calls: { harmful: { state: "allowed" } } })).toEqual({
      kind: "tools",
      ask: [],
    });
  });

  it("ends after its budget of time and after too many restarts, and says why", () => {
    expect(recover([], {}, { nowMs: TURN_BUDGET_MS + 1 })).toMatchObject({ kind: "give-up", why: expect.any(String) });
    expect(recover([text], {}, { restarts: MAX_RESTARTS }).kind).toBe("give-up");
  });

  it("does not count the time that it waited for people", () => {
    expect(recover([], { waitedMs: 60_000 }, { nowMs: TURN_BUDGET_MS + 50_000 }).kind).toBe("rerun");
    expect(recover([], { waitingSinceMs: 1_000 }, { nowMs: APPROVAL_MS }).kind).toBe("rerun");
  });
});

it("a question to people ends a day after it was asked, the first one first", () => {
  const calls = { a: { state: "waiting", sinceMs: 5 }, b: { state: "waiting", sinceMs: 3 } } as const;
  expect(approvalDeadlineMs({ ...newProgress(), calls })).toBe(3 + APPROVAL_MS);
  expect(approvalDeadlineMs(newProgress())).toBeNull();
});
