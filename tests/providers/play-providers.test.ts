import { expect, it, vi } from "vitest";
import { playProviders } from "./play-providers.ts";

vi.setConfig({ testTimeout: 180_000 });

it("all five vendors and a machine answer, and while each in turn is broken the next one does", async () => {
  const lines: string[] = [];
  expect(await playProviders((line) => lines.push(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("ok")).length).toBeGreaterThan(30);
});
