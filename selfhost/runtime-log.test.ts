import { expect, it } from "vitest";
import { isRuntimeNoise } from "./runtime-log.ts";

it.each([
  "NOSENTRY SQLite alarm overdue, running despite AlarmManager mismatch; scheduledTime = 2026-11-21T12:17:00Z; actorId = 1f",
  "workerd/io/actor-sqlite.c++:912: warning: NOSENTRY SQLite alarm overdue, running despite AlarmManager mismatch; actorId = 1f",
  "Uncaught exception: kj/compat/http.c++:6212: failed: remote.jsg.Error: WebSocket protocol error; protocolError.statusCode = 1002; protocolError.description = Received frame with reserved bits",
  "e = kj/compat/http.c++:3885: failed: expected !currentlySending; another message send is already in progress\nstack: 4a1c2e0 4a1c9f1",
  "kj/async-io-unix.c++:186: failed: disconnected: ::writev(fd, iov, iovcnt): Broken pipe\nstack: 4a1c2e0",
])("keeps workerd's note to itself away from the person who starts Mosaic: %s", (line) => {
  expect(isRuntimeNoise(line)).toBe(true);
});

it.each([
  "Maintenance: gave up after three attempts.",
  "The outbox failed: NOSENTRY SQLite alarm overdue, running despite AlarmManager mismatch",
  "NOSENTRY SQLite reschedule later alarm failed; e = disk I/O error",
  "workerd/server/server.c++:1: error: Uncaught exception: disk I/O error",
  "workerd/io/actor-sqlite.c++:1: failed: disk I/O error",
  "The turn failed: e = kj/compat/http.c++:3885: failed: expected !currentlySending",
  "The turn failed: Uncaught exception: WebSocket protocol error; protocolError.statusCode = 1002",
])("lets errors and the Worker's own lines through: %s", (line) => {
  expect(isRuntimeNoise(line)).toBe(false);
});
