import { describe, expect, it } from "vitest";
import { parseCron } from "./cron-timer.ts";

const at = (text: string): Date => new Date(`${text}:00Z`);

describe("a cron trigger", () => {
  it.each([
    ["* * * * *", "2026-11-21T12:34", true],
    ["*/5 * * * *", "2026-11-21T12:35", true],
    ["*/5 * * * *", "2026-11-21T12:36", false],
    ["3/20 * * * *", "2026-11-21T12:43", true],
    ["0 4 * * *", "2026-11-21T04:00", true],
    ["0 4 * * *", "2026-11-21T05:00", false],
    ["0,30 8-18 * * *", "2026-11-21T18:30", true],
    ["0 0 1 jan *", "2026-01-01T00:00", true],
    ["0 0 * * 1", "2026-11-22T00:00", true], // Sunday, as Cloudflare counts
    ["0 0 * * mon-fri", "2026-11-21T00:00", false], // Saturday
    ["0 0 13 * fri", "2026-11-20T00:00", true], // either suffices
  ])("%s at %s UTC: %s", (cron, minute, fires) => {
    expect(parseCron(cron)(at(minute))).toBe(fires);
  });

  it.each(["", "* * * *", "60 * * * *", "* 24 * * *", "*/0 * * * *", "a * * * *", "* * * * 0"])(
    "%j is refused with a sentence",
    (cron) => {
      expect(() => parseCron(cron)).toThrow(/cron trigger/);
    },
  );
});
