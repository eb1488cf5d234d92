import type { Clock } from "../client/clock.ts";

/** A clock that stands until it is moved. `set` turns the hands without letting any time pass, as a correction does. */
export function handClock(): Clock & { forward(ms: number): void; set(now: number): void } {
  let passed = 0;
  let offset = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => passed + offset,
    random: () => 1,
    after: (ms, run) => {
      const timer = { at: passed + ms, run };
      timers.push(timer);
      return {
        cancel: () => {
          timers = timers.filter((other) => other !== timer);
        },
      };
    },
    forward: (ms) => {
      const until = passed + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        passed = next.at;
        next.run();
      }
      passed = until;
    },
    set: (now) => {
      offset = now - passed;
    },
  };
}
