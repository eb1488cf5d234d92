import { expect, it } from "vitest";
import { EventPosition } from "./position.ts";

function watched() {
  const reports: number[] = [];
  let due: (() => void) | null = null;
  const after = (_ms: number, run: () => void) => {
    due = run;
    return { cancel: () => (due = null) };
  };
  const clock = { now: () => 0, random: () => 0, after };
  const position = new EventPosition(0, clock, (seq) => reports.push(seq) > 0);
  return { position, reports, second: () => due?.() };
}

it("reports how far it has read once a second, and nothing while nothing comes", () => {
  const { position, reports, second } = watched();
  position.take(1);
  position.take(2);
  second();
  second();
  expect(reports).toEqual([2]);
});

it("reports during a long answer too, which brings no events", () => {
  const { position, reports, second } = watched();
  position.take(1);
  second();
  position.touch();
  position.touch();
  second();
  second();
  expect(reports).toEqual([1, 1]);
});

it("reports from the start again after the log was rebuilt shorter", () => {
  const { position, reports, second } = watched();
  for (let seq = 1; seq <= 300; seq += 1) position.take(seq);
  expect(position.welcome(10, undefined)).toBe("rebuilt");
  position.take(1);
  second();
  expect(reports).toEqual([200, 1]);
});

it("reads anew what was rebuilt to another log of the same length", () => {
  const { position } = watched();
  expect(position.welcome(2, "first")).toBe("resumed");
  position.take(1);
  position.take(2);
  expect(position.welcome(2, "first")).toBe("resumed");
  expect(position.welcome(2, "second")).toBe("rebuilt");
  expect(position.since).toBe(0);
});

it("takes a log for another one where its name has come or gone", () => {
  const named = watched().position;
  expect(named.welcome(2, "first")).toBe("resumed");
  expect(named.welcome(2, undefined)).toBe("rebuilt");
  const nameless = watched().position;
  expect(nameless.welcome(2, undefined)).toBe("resumed");
  expect(nameless.welcome(2, undefined)).toBe("resumed");
  expect(nameless.welcome(2, "first")).toBe("rebuilt");
});
