import { describe, expect, it } from "vitest";
import { type DeltaFrame, ServerFrame } from "../../shared/contract/frames.ts";
import { testId } from "../../shared/testing/builders.ts";
import { handClock } from "../../shared/testing/hand-clock.ts";
import type { EventLog } from "./event-log.ts";
import type { Attachment } from "./reader.ts";
import { Sessions } from "./sessions.ts";

const MIB = 1024 * 1024;

/** The server's end of a socket whose client decides what it reads: the platform tells nothing of it either. */
class Peer {
  readonly sent: string[] = [];
  closed: { code: number; reason: string } | null = null;
  #attachment: unknown = null;

  send(text: string): void {
    if (this.closed) throw new Error("The socket is closed.");
    this.sent.push(text);
  }
  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }

  get socket(): WebSocket {
    return this as unknown as WebSocket;
  }
  get frames(): ServerFrame[] {
    return this.sent.map((text) => ServerFrame.parse(JSON.parse(text)));
  }
  get seqs(): number[] {
    return this.frames.flatMap((frame) => (frame.type === "event" ? [frame.seq] : []));
  }
  get length(): number {
    return this.sent.reduce((sum, text) => sum + text.length, 0);
  }
}

const turnId = testId();
const messageId = testId();
const at = "2026-11-21T12:00:00.000Z";

/** An object's sessions over a log in memory, on a clock that stands until it is moved. */
function house() {
  const clock = handClock();
  const accepted: Peer[] = [];
  const bodies: string[] = [];
  const log: EventLog = {
    get lastSeq() {
      return bodies.length;
    },
    rowsAfter(seq, { events, length }) {
      let sum = 0;
      const rows = bodies.slice(seq, seq + events).map((body, index) => ({ seq: seq + index + 1, at, body }));
      const end = rows.findIndex((row) => {
        sum += row.body.length;
        return sum >= length;
      });
      return end < 0 ? rows : rows.slice(0, end + 1);
    },
  };
  const answer = { text: "", running: false };
  const make = (): Sessions =>
    new Sessions({
      ctx: {
        acceptWebSocket: () => {},
        getWebSockets: () => accepted.map((peer) => peer.socket),
        setWebSocketAutoResponse: () => {},
      },
      now: () => clock.now(),
      timers: clock,
      log,
      snapshot: () =>
        answer.running
          ? { type: "message:snapshot", turnId, messageId, parts: [{ type: "text", text: answer.text }] }
          : null,
      session: () => ({ type: "session:info", attached: current.count }) as ServerFrame,
    });
  let current = make();
  const event = (length = 100): void => {
    bodies.push(JSON.stringify({ type: "title:changed", title: "x".repeat(length) }));
  };
  return {
    clock,
    answer,
    get sessions() {
      return current;
    },
    event,
    publish(length?: number): void {
      event(length);
      const body = bodies.at(-1) ?? "";
      current.broadcast({ type: "event", seq: bodies.length, at, event: JSON.parse(body) });
    },
    say(text: string): void {
      const delta: DeltaFrame = {
        type: "message:delta",
        turnId,
        messageId,
        part: 0,
        kind: "text",
        offset: answer.text.length,
        text,
      };
      answer.running = true;
      answer.text += text;
      current.broadcast(delta);
    },
    attach(since = bodies.length): Peer {
      const peer = new Peer();
      accepted.push(peer);
      const attachment: Attachment = {
        id: testId(),
        userId: testId(),
        name: "Ada",
        credentialId: testId(),
        credential: "session",
        workspaceId: testId(),
        role: "owner",
        expiresAt: "2099-01-01T00:00:00.000Z",
        kind: null,
      };
      current.accept(peer.socket, attachment);
      current.greet(peer.socket, "api");
      current.follow(peer.socket, since);
      return peer;
    },
    /** The object sleeps and wakes: only attachments are left. */
    hibernate(): void {
      clock.forward(10_000);
      current = make();
    },
    /** The same without a quiet moment before. */
    wake(): void {
      current = make();
    },
  };
}

/** What a client that only follows offsets has on its screen; throws where one does not fit. */
function textAt(peer: Peer): string {
  let text: string | null = null;
  for (const frame of peer.frames) {
    if (frame.type === "message:snapshot") text = frame.parts.map((part) => ("text" in part ? part.text : "")).join("");
    if (frame.type !== "message:delta") continue;
    text ??= "";
    if (frame.offset !== text.length) throw new Error(`offset ${frame.offset} does not fit ${text.length} units`);
    text += frame.text;
  }
  return text ?? "";
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_each, i) => from + i);
const deltas = (peer: Peer): number => peer.frames.filter((frame) => frame.type === "message:delta").length;

describe("a replay", () => {
  it("is sent in pages, and what happens between them comes after it, each once and in order", () => {
    const { clock, event, publish, attach, say, answer } = house();
    for (let i = 0; i < 1_000; i++) event();
    const peer = attach(0);
    publish();
    say("hidden from a replay");
    expect(peer.seqs).toEqual(range(1, 200));
    clock.forward(0);
    expect(peer.seqs).toEqual(range(1, 1_001));
    expect(peer.frames.at(-1)).toMatchObject({ type: "message:snapshot", parts: [{ text: answer.text }] });
    say(", but not from what follows");
    publish();
    expect(peer.seqs).toEqual(range(1, 1_002));
    expect(textAt(peer)).toBe(answer.text);
  });

  it("of a few missed events is there at once, from wherever it begins", () => {
    const { event, attach } = house();
    for (let i = 0; i < 10_000; i++) event();
    expect(attach(9_950).seqs).toEqual(range(9_951, 10_000));
    expect(attach(10_000).seqs).toEqual([]);
  });

  it("from a position that this log has not reached begins at its end", () => {
    const { event, publish, attach } = house();
    for (let i = 0; i < 3; i++) event();
    const peer = attach(500);
    publish();
    expect(peer.seqs).toEqual([4]);
  });

  it("begins anew with another hello on the same socket", () => {
    const { sessions, clock, event, attach } = house();
    for (let i = 0; i < 500; i++) event();
    const peer = attach(0);
    sessions.follow(peer.socket, 450);
    clock.forward(0);
    expect(peer.seqs).toEqual([...range(1, 200), ...range(451, 500)]);
  });

  it("waits for the reports of a client that sends them, and ends it when they stop coming", () => {
    const { sessions, clock, event, attach } = house();
    for (let i = 0; i < 400; i++) event(100_000);
    const peer = attach(0);
    sessions.received(peer.socket, 1);
    clock.forward(0);
    expect(peer.length).toBeLessThan(5 * MIB);
    const windowEnd = peer.seqs.length;
    sessions.received(peer.socket, windowEnd);
    clock.forward(0);
    expect(peer.seqs.length).toBeGreaterThan(windowEnd + 30);
    expect(peer.seqs.length).toBeLessThan(100);
    clock.forward(80_000);
    expect(peer.closed).toEqual({ code: 4008, reason: expect.stringContaining("too far behind") });
    expect(sessions.count).toBe(0);
  });

  it("reaches a client that never reports in whole, up to its allowance", () => {
    const { clock, event, attach } = house();
    for (let i = 0; i < 600; i++) event(100_000);
    const peer = attach(0);
    clock.forward(0);
    expect(peer.seqs).toEqual(range(1, 600));
    for (let i = 0; i < 200; i++) event(100_000);
    const other = attach(0);
    clock.forward(0);
    expect(other.closed?.code).toBe(4008);
    expect(other.length).toBeLessThan(65 * MIB);
  });

  it("that did not survive a hibernation is cut, so that its client resumes", () => {
    const room = house();
    for (let i = 0; i < 300; i++) room.event();
    const [unfinished, finished] = [room.attach(0), room.attach(250)];
    room.wake();
    expect(unfinished.closed?.code).toBe(4008);
    expect(finished.closed).toBeNull();
    room.publish();
    expect(finished.seqs).toEqual(range(251, 301));
  });
});

describe("a slow reader", () => {
  it("is cut with a reason once it owes too much, and the others notice nothing", () => {
    const { sessions, publish, attach } = house();
    const [slow, good] = [attach(), attach()];
    publish();
    for (const peer of [slow, good]) sessions.received(peer.socket, 1);
    for (let seq = 2; seq <= 40; seq++) {
      publish(MIB / 2);
      sessions.received(good.socket, seq);
    }
    expect(slow.closed).toEqual({ code: 4008, reason: "too far behind; report `received`, reconnect and resume" });
    expect(good.closed).toBeNull();
    expect(good.seqs).toEqual(range(1, 40));
  });

  it("is held to it across hibernations", () => {
    const room = house();
    const peer = room.attach();
    room.publish();
    room.sessions.received(peer.socket, 1);
    for (let i = 0; i < 10; i++) {
      room.publish(2 * MIB);
      room.hibernate();
    }
    expect(peer.closed?.code).toBe(4008);
    expect(peer.length).toBeLessThan(17 * MIB);
  });

  it("pays its debt with one report, also after a hibernation", () => {
    const room = house();
    const peer = room.attach();
    for (let seq = 1; seq <= 20; seq++) {
      room.publish(2 * MIB);
      room.hibernate();
      room.sessions.received(peer.socket, seq);
    }
    expect(peer.closed).toBeNull();
    expect(peer.seqs).toEqual(range(1, 20));
  });

  it("cannot talk itself free with positions that it was never sent", () => {
    const { sessions, publish, attach } = house();
    const peer = attach();
    publish();
    sessions.received(peer.socket, 1);
    for (let seq = 2; seq <= 40 && !peer.closed; seq++) {
      publish(MIB);
      if (!peer.closed) expect(sessions.received(peer.socket, 1_000_000)).toBe(false);
      sessions.received(peer.socket, 0);
    }
    expect(peer.closed?.code).toBe(4008);
  });
});

describe("the pieces of an answer", () => {
  it("go out at once, one by one, to readers that follow", () => {
    const { say, attach, clock } = house();
    const peers = range(1, 31).map(() => attach());
    for (let i = 0; i < 50; i++) {
      say(`t${i} `);
      clock.forward(1);
      for (const peer of peers) expect(deltas(peer)).toBe(i + 1);
    }
  });

  it("are merged for many readers: the first at once, then one frame in 16 ms, and every offset fits", () => {
    const { say, attach, clock, answer } = house();
    clock.forward(1_000);
    const peers = range(1, 200).map(() => attach());
    say("first ");
    expect(peers.map(deltas)).toEqual(peers.map(() => 1));
    for (let i = 0; i < 160; i++) {
      clock.forward(1);
      say(`t${i} `);
    }
    clock.forward(16);
    for (const peer of peers) {
      expect(textAt(peer)).toBe(answer.text);
      expect(deltas(peer)).toBeLessThan(14);
    }
    expect(peers.map((peer) => peer.sent.filter((text) => text.includes("delta")))[7]).toEqual(
      peers[0]?.sent.filter((text) => text.includes("delta")),
    );
  });

  it("are merged for one that is behind, and nobody else", () => {
    const { sessions, say, attach, publish, clock, answer } = house();
    const [behind, good] = [attach(), attach()];
    publish();
    for (const peer of [behind, good]) sessions.received(peer.socket, 1);
    publish(200_000);
    sessions.received(good.socket, 2);
    for (let i = 0; i < 100; i++) {
      clock.forward(2);
      say(`t${i} `);
      sessions.received(good.socket, 2);
    }
    clock.forward(16);
    expect(deltas(good)).toBe(100);
    expect(deltas(behind)).toBeLessThan(20);
    expect(textAt(behind)).toBe(answer.text);
    sessions.received(behind.socket, 2);
    say("now ");
    say("prompt");
    expect(textAt(behind)).toBe(answer.text);
  });

  it("keep their place before an event and a snapshot, whatever is held back", () => {
    const { say, attach, publish, clock, sessions, answer } = house();
    clock.forward(1_000);
    const peers = range(1, 40).map(() => attach());
    say("a");
    say("b");
    say("c");
    publish();
    say("d");
    sessions.broadcast({ type: "message:snapshot", turnId, messageId, parts: [{ type: "text", text: answer.text }] });
    for (const peer of peers) {
      expect(peer.frames.map((frame) => frame.type).filter((type) => type !== "session:info")).toEqual([
        "message:delta",
        "message:delta",
        "event",
        "message:delta",
        "message:snapshot",
      ]);
      expect(textAt(peer)).toBe("abcd");
    }
  });

  it("fit what a device sees that attaches at any moment of a merged stream", () => {
    const { say, attach, clock, answer } = house();
    const peers = range(1, 31).map(() => attach());
    for (let i = 0; i < 400; i++) {
      if (i % 10 === 0) peers.push(attach());
      say(`t${i} `);
      clock.forward(i % 7);
    }
    clock.forward(16);
    expect(peers).toHaveLength(71);
    for (const peer of peers) expect(textAt(peer)).toBe(answer.text);
  });
});

describe("the session", () => {
  it("is told a few times, not two hundred, when two hundred attach, and the last is right", () => {
    const { sessions, attach, clock } = house();
    clock.forward(1_000);
    const peers = range(1, 200).map(() => {
      const peer = attach();
      sessions.announce();
      return peer;
    });
    clock.forward(1_000);
    const told = peers[0]?.sent.filter((text) => text.includes("session:info")) ?? [];
    expect(told.length).toBeLessThanOrEqual(2);
    expect(told.at(-1)).toContain('"attached":200');
    for (const peer of peers) expect(peer.sent.at(-1)).toBe(told.at(-1));
  });

  it("counts one out that was cut, although its client never answers", () => {
    const { sessions, attach, publish, clock } = house();
    const [slow, good] = [attach(), attach()];
    publish();
    for (const peer of [slow, good]) sessions.received(peer.socket, 1);
    for (let seq = 2; !slow.closed; seq++) {
      publish(MIB);
      sessions.received(good.socket, seq);
    }
    clock.forward(100);
    expect(good.sent.at(-1)).toContain('"attached":1');
  });
});

it("leaves no timer behind when nothing streams", () => {
  const room = house();
  const pending = new Set<object>();
  const { after } = room.clock;
  room.clock.after = (ms, run) => {
    const mark = {};
    pending.add(mark);
    const timer = after(ms, () => {
      pending.delete(mark);
      run();
    });
    return {
      cancel: () => {
        pending.delete(mark);
        timer.cancel();
      },
    };
  };
  for (let i = 0; i < 40; i++) room.attach();
  for (let i = 0; i < 40; i++) room.say("t ");
  room.publish();
  room.sessions.announce();
  expect(pending.size).toBeGreaterThan(0);
  room.clock.forward(5_000);
  expect(pending.size).toBe(0);
});
