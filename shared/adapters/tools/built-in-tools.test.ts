import { describe, expect, it } from "vitest";
import { createBuiltInTools } from "./built-in-tools.ts";

const tools = createBuiltInTools({ now: () => new Date("2026-11-21T12:00:00Z") });
const call = (name: string, input: unknown) =>
  tools.call({ callId: "c", name, input }, { signal: new AbortController().signal });

describe("the current time", () => {
  it("is told in UTC and in the zone that was asked for", async () => {
    expect(await call("current_time", {})).toMatchObject({
      isError: false,
      output: { timeZone: "UTC", utc: "2026-11-21T12:00:00.000Z" },
    });
    const { output } = await call("current_time", { timeZone: "Asia/Tokyo" });
    expect(output).toMatchObject({ local: expect.stringContaining("21:00:00") });
  });

  it.each([
    ["a zone that does not exist", { timeZone: "Mars/Olympus" }, "Mars/Olympus"],
    ["a field that is not known", { zone: "UTC" }, "zone"],
    ["what is no object", "now", "object"],
  ])("answers %s with one sentence, as an error that the model reads", async (_what, input, part) => {
    expect(await call("current_time", input)).toEqual({ isError: true, output: expect.stringContaining(part) });
  });

  it("needs nobody's approval and may be repeated", () => {
    expect(tools.definitions()).toEqual([
      expect.objectContaining({ name: "current_time", safeToRepeat: true, needsApproval: false }),
    ]);
  });
});

it("an unknown tool is an error that the model reads", async () => {
  expect(await call("fly", {})).toEqual({ isError: true, output: expect.stringContaining("fly") });
});
