/**
 * Runs everything that waits in promises, and reports what was rejected and left unhandled, as Node does between two
 * turns of its loop. A turn of the loop for each step would take a third of a schedule's time.
 */
const drain: unknown = Reflect.get(process, "_tickCallback");

/** Call from a task of the loop, never from within a promise: there nothing can run in between. */
export function settle(): void {
  if (typeof drain !== "function") throw new Error("This Node cannot run what waits in promises at once.");
  drain.call(process);
}
