/** Notes that workerd writes about itself and marks as none of anybody's business. Each names a line that does no harm. */
const NOISE = [
  // After every restart: its timer for an object is made anew, and the object's own alarm is the one that counts.
  "SQLite alarm overdue, running despite AlarmManager mismatch",
  "DEBUG_ALARM:",
];

/** A client that breaks the WebSocket protocol is cut off; workerd tells it as an exception of its own. */
const BROKEN_FRAMING =
  /^(?:\S+\.(?:c\+\+|h):\d+: (?:\w+: )?)?Uncaught exception: .*WebSocket protocol error; protocolError\.statusCode = /;

/**
 * workerd's own report of a connection that broke under it, with its source line and a stack of addresses. Whoever used
 * that connection says in words of their own what came of it.
 */
const OWN_REPORT = /^(?:e = )?(?:kj|workerd|capnp)\/\S+\.(?:c\+\+|h):\d+: failed: (?:expected |disconnected: )/;

/** Whether a line of the runtime's log is workerd talking to itself; its errors and the Worker's own lines are not. */
export function isRuntimeNoise(message: string): boolean {
  if (BROKEN_FRAMING.test(message) || OWN_REPORT.test(message)) return true;
  const note = /^(?:\S+\.(?:c\+\+|h):\d+: (?:\w+: )?)?NOSENTRY (.*)/.exec(message)?.[1];
  return note !== undefined && NOISE.some((beginning) => note.startsWith(beginning));
}
