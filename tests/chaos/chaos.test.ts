import { describe, expect, it, vi } from "vitest";
import { runChaos } from "./run-chaos.ts";

vi.setConfig({ testTimeout: 240_000 });

describe("a stack that is killed again and again", () => {
  it("loses, repeats and reorders nothing that it acknowledged, and ends every turn", async () => {
    const lines: string[] = [];
    const report = await runChaos({
      seed: "short",
      messages: 300,
      messagesPerEpoch: 300,
      conversations: 6,
      kills: 10,
      longestOutageMs: 3_000,
      limits: { talkMs: 30_000, saidWithinMs: 60_000, quietWithinMs: 60_000 },
      print: (line) => lines.push(line),
    });
    expect(report.violations, lines.join("\n")).toEqual([]);
    expect(report.messages).toBeGreaterThanOrEqual(100);
    expect(report.kills.workerd.kills).toBeGreaterThan(0);
    expect(report.strangerTries).toBeGreaterThan(0);
  });
});
