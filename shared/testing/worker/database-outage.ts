import { inject, vi } from "vitest";

/** `gone` refuses connections, `hung` takes them and says nothing. */
export type DatabaseMood = "up" | "gone" | "hung";

const LONGER_THAN_ANYBODY_WAITS_MS = 60_000;

/** Stands between the Worker and its database, for everything that runs in this isolate. Begin before anything asks. */
export function databaseOutage() {
  const { fetch: real } = globalThis;
  const endpoint = new URL(inject("databaseEndpoint")).host;
  let mood: DatabaseMood = "up";
  const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.host !== endpoint || mood === "up") return await real(input, init);
    if (mood === "hung") await nothing(init?.signal);
    throw new TypeError("connection refused");
  });
  return {
    set(next: DatabaseMood): void {
      mood = next;
    },
    end: () => spy.mockRestore(),
  };
}

/** Lasts until whoever waits gives up. */
function nothing(signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, LONGER_THAN_ANYBODY_WAITS_MS);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new TypeError("given up"));
    });
  });
}
