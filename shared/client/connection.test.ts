import { expect, test } from "vitest";
import { handClock } from "../testing/hand-clock.ts";
import { aSession } from "../testing/node/protocol-server.ts";
import { reconnectDelayMs } from "./clock.ts";
import { type Access, ConversationConnection } from "./connection.ts";
import type { IncomingFrame } from "./decode-frame.ts";
import { platformSockets } from "./socket.ts";
import type { Connection } from "./view-state.ts";

const ID = "0190aaaa-0000-7000-8000-000000000000";
const WELCOME = JSON.stringify({
  type: "welcome",
  protocol: 1,
  features: [],
  conversationId: ID,
  lastSeq: 0,
  session: aSession(ID),
});

/** A connection whose sockets are in the test's hands. */
function inHand(checkAccess?: () => Promise<Access>) {
  const clock = handClock();
  const sockets: {
    sent: string[];
    closed: boolean;
    open(): void;
    message(text: string): void;
    close(code: number, reason: string): void;
  }[] = [];
  const states: Connection[] = [];
  const frames: IncomingFrame[] = [];
  const connection = new ConversationConnection({
    url: "ws://mosaic.test",
    clock,
    checkAccess,
    hello: () => "hello",
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
    openSocket: (_url, handlers) => {
      const socket = { sent: [] as string[], closed: false, ...handlers };
      sockets.push(socket);
      return {
        send: (text) => socket.sent.push(text),
        close: () => {
          socket.closed = true;
        },
      };
    },
  });
  connection.start();
  const socket = () => {
    const last = sockets.at(-1);
    if (!last) throw new Error("nothing was opened");
    return last;
  };
  const welcome = (): void => {
    socket().open();
    socket().message(WELCOME);
  };
  return { clock, sockets, states, frames, connection, socket, welcome };
}

test("a peer that has gone silent is asked, then given up, and one that answers is kept", () => {
  const { clock, socket, sockets, states, welcome } = inHand();
  welcome();
  clock.forward(20_000);
  expect(socket().sent).toEqual(["hello", "ping"]);
  clock.forward(9_000);
  socket().message("pong");
  clock.forward(19_000);
  expect(sockets).toHaveLength(1);
  clock.forward(11_000);
  expect(states.at(-1)?.state).toBe("waiting");
  expect(socket().closed).toBe(true);
  clock.forward(1_000);
  expect(sockets).toHaveLength(2);
});

test("a server that accepts and never greets is given up", () => {
  const { clock, socket, states } = inHand();
  socket().open();
  clock.forward(15_000);
  expect(states.at(-1)?.state).toBe("waiting");
});

test("tries go on for ever, ever more slowly, and begin anew after a success", () => {
  const { clock, sockets, socket, states, welcome } = inHand();
  for (let round = 0; round < 50; round += 1) {
    socket().close(1006, "");
    clock.forward(15_000);
  }
  expect(sockets).toHaveLength(51);
  welcome();
  socket().close(1006, "");
  expect(states.at(-1)).toMatchObject({ state: "waiting", attempt: 51 });
  clock.forward(15_000);
  welcome();
  clock.forward(5_000);
  socket().close(1006, "");
  expect(states.at(-1)).toMatchObject({ state: "waiting", attempt: 1 });
});

test("waking tries at once; a stopped connection never tries again", () => {
  const { clock, connection, sockets, socket, states } = inHand();
  socket().close(1006, "");
  connection.wake();
  expect(sockets).toHaveLength(2);
  connection.wake();
  expect(sockets).toHaveLength(2);
  connection.stop();
  expect(states.at(-1)).toMatchObject({ state: "closed", code: 1000 });
  connection.wake();
  connection.restart();
  clock.forward(100_000);
  expect(sockets).toHaveLength(2);
});

test("waking asks a connection that seems to stand, and gives it up when it says nothing", () => {
  const { clock, connection, sockets, socket, states, welcome } = inHand();
  welcome();
  connection.wake();
  expect(socket().sent).toEqual(["hello", "ping"]);
  socket().message("pong");
  clock.forward(10_000);
  expect(states.at(-1)?.state).toBe("open");
  connection.wake();
  clock.forward(10_000);
  expect(states.at(-1)?.state).toBe("waiting");
  expect(sockets).toHaveLength(1);
});

test("a server that does not even say whether access is allowed is tried again", () => {
  const { clock, sockets, socket } = inHand(() => new Promise(() => {}));
  socket().close(1006, "");
  clock.forward(30_000);
  expect(sockets.length).toBeGreaterThan(1);
});

test("what an earlier socket still says is not heard", () => {
  const { connection, frames, sockets, states, welcome } = inHand();
  welcome();
  connection.restart();
  connection.wake();
  const before = states.length;
  sockets[0]?.message(WELCOME);
  sockets[0]?.close(4004, "");
  expect(states).toHaveLength(before);
  expect(frames).toHaveLength(1);
});

test.each<[Access, string]>([
  ["ok", "waiting"],
  ["unreachable", "waiting"],
  ["unauthenticated", "closed"],
  ["forbidden", "closed"],
  ["not_found", "closed"],
])("a connection refused before it opened, with access %s, is %s", async (access, state) => {
  const { socket, states } = inHand(async () => access);
  socket().close(1006, "");
  await Promise.resolve();
  await Promise.resolve();
  expect(states.at(-1)?.state).toBe(state);
});

test("the delay doubles up to its ceiling, and at least half of it is kept", () => {
  expect([0, 1, 2, 3].map((attempt) => reconnectDelayMs(attempt, 1))).toEqual([250, 500, 1000, 2000]);
  expect(reconnectDelayMs(0, 0)).toBe(125);
  expect(reconnectDelayMs(1000, 1)).toBe(15_000);
});

test("a ticket is fetched for each connection, and a ticket that is refused is a connection that failed", async () => {
  const opened: unknown[][] = [];
  class FakeSocket {
    constructor(...parameters: unknown[]) {
      opened.push(parameters);
    }
    addEventListener(): void {}
    send(): void {}
    close(): void {}
  }
  const handlers = { open: () => {}, message: () => {}, close: () => {} };
  let issued = 0;
  const open = platformSockets({ ticket: async () => `t ${++issued}` }, () => FakeSocket);
  open("ws://mosaic.test/s", handlers);
  open("ws://mosaic.test/s", handlers);
  await Promise.resolve();
  await Promise.resolve();
  expect(opened.map(([url]) => url)).toEqual(["ws://mosaic.test/s?ticket=t%201", "ws://mosaic.test/s?ticket=t%202"]);
  expect(opened[0]?.[1]).toEqual(["mosaic.v1"]);
  const refused = platformSockets({ ticket: () => Promise.reject(new Error("no")) }, () => FakeSocket);
  const code = await new Promise((resolve) => refused("ws://mosaic.test/s", { ...handlers, close: resolve }));
  expect(code).toBe(1006);
});
