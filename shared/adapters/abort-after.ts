/**
 * Gives work a signal that aborts with a `TimeoutError` after so many milliseconds. Not `AbortSignal.timeout`: its timer
 * runs on when the work is long done, and an object with a timer cannot hibernate.
 */
export async function abortAfter<Value>(ms: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const late = (): void => controller.abort(new DOMException("It took too long.", "TimeoutError"));
  const timer = setTimeout(late, ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
