import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConversationEvent, LoggedEvent } from "../contract/events.ts";
import type { DeltaFrame, ServerFrame } from "../contract/frames.ts";
import { type Part, textOf } from "../contract/message.ts";
import { aMessage, testId } from "../testing/builders.ts";
import { aReceipt, aSession } from "../testing/node/protocol-server.ts";
import { decodeServerFrame, type IncomingFrame } from "./decode-frame.ts";
import { reduceAll, reduceView } from "./view.ts";
import { emptyView, type View } from "./view-state.ts";

const AT = "2026-11-21T00:00:00.000Z";
const text = (value: string): Part => ({ type: "text", text: value });
const usage = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 };
const frames = (list: IncomingFrame[], view: View = emptyView): View =>
  list.reduce((so, frame) => reduceView(so, { type: "frame", frame }), view);
const texts = (view: View): string[] => view.messages.map(({ parts }) => textOf(parts));
const statuses = (view: View): string[] => view.messages.map(({ status }) => status);

/** Writes a log as a server would: question, turn, answer. */
class Log {
  readonly events: LoggedEvent[] = [];
  head: string | null = null;

  add(event: ConversationEvent): this {
    this.events.push({ seq: this.events.length + 1, at: AT, event });
    return this;
  }

  ask(value: string, id = testId(), parentId = this.head): string {
    const seq = this.events.length + 1;
    this.add({ type: "message:added", message: aMessage({ id, seq, parentId, parts: [text(value)] }) });
    this.head = id;
    return id;
  }

  start(replyTo: string): { turnId: string; messageId: string; parentId: string | null } {
    const turn = { turnId: testId(), messageId: testId(), parentId: this.head };
    this.add({ type: "turn:started", ...turn, replyTo, receipt: aReceipt() });
    this.head = turn.messageId;
    return turn;
  }

  end(turn: ReturnType<Log["start"]>, replyTo: string, value: string): this {
    return this.add({ type: "turn:completed", turnId: turn.turnId, usage, message: this.answer(turn, replyTo, value) });
  }

  answer({ messageId, turnId, parentId }: ReturnType<Log["start"]>, replyTo: string, value: string) {
    const metadata = { turnId, replyTo };
    return aMessage({ id: messageId, seq: 2, role: "assistant", parentId, parts: [text(value)], metadata });
  }

  frames(after = 0): ServerFrame[] {
    return this.events.slice(after).map((event) => ({ type: "event", ...event }));
  }
}

function running(): { log: Log; question: string; turn: ReturnType<Log["start"]>; view: View } {
  const log = new Log();
  const question = log.ask("hello");
  const turn = log.start(question);
  return { log, question, turn, view: frames(log.frames()) };
}
const delta = (turn: { turnId: string; messageId: string }, offset: number, value: string, part = 0): DeltaFrame => ({
  type: "message:delta",
  turnId: turn.turnId,
  messageId: turn.messageId,
  part,
  kind: "text",
  offset,
  text: value,
});

describe("deltas", () => {
  test("grow the answer at their offset", () => {
    const { turn, view } = running();
    const grown = frames([delta(turn, 0, "ab"), delta(turn, 2, "cd"), delta(turn, 0, "second", 1)], view);
    expect(grown.messages[1]?.parts).toEqual([text("abcd"), text("second")]);
    expect(statuses(grown)).toEqual(["saved", "streaming"]);
  });

  test("that repeat or overlap add only what is new", () => {
    const { turn, view } = running();
    const grown = frames(
      [delta(turn, 0, "abc"), delta(turn, 0, "abc"), delta(turn, 1, "bcde"), delta(turn, 1, "b")],
      view,
    );
    expect(texts(grown)[1]).toBe("abcde");
  });

  test.each([
    ["begins after the end", 3, "z"],
    ["contradicts what is shown", 0, "xy"],
  ])("one that %s waits, with all that follow, for the next snapshot", (_, offset, value) => {
    const { turn, view } = running();
    const waiting = frames([delta(turn, 0, "ab"), delta(turn, offset, value), delta(turn, 2, "cd")], view);
    expect(texts(waiting)[1]).toBe("ab");
    expect(waiting.running?.awaitingSnapshot).toBe(true);
    const parts = [text("ab12")];
    const repaired = frames(
      [{ type: "message:snapshot", turnId: turn.turnId, messageId: turn.messageId, parts }, delta(turn, 4, "34")],
      waiting,
    );
    expect(texts(repaired)[1]).toBe("ab1234");
  });

  test("of another turn, or of none, change nothing", () => {
    const { turn, view } = running();
    const other = { ...turn, turnId: testId() };
    expect(frames([delta(other, 0, "x")], view).messages).toBe(view.messages);
    expect(frames([delta(other, 0, "x")]).messages).toEqual([]);
  });

  test("a snapshot may be shorter than what is shown", () => {
    const { turn, view } = running();
    const shown = frames([delta(turn, 0, "abcdef")], view);
    const snapshot: ServerFrame = {
      type: "message:snapshot",
      turnId: turn.turnId,
      messageId: turn.messageId,
      parts: [text("abc")],
    };
    expect(texts(frames([snapshot, delta(turn, 3, "xyz")], shown))[1]).toBe("abcxyz");
  });

  test("after a cut, what had begun waits for the snapshot", () => {
    const { turn, view } = running();
    const shown = frames([delta(turn, 0, "ab")], view);
    const cut = reduceView(shown, { type: "connection", connection: { state: "waiting", attempt: 1, retryAt: 0 } });
    expect(texts(frames([delta(turn, 2, "cd")], cut))[1]).toBe("ab");
  });

  test("a snapshot that comes late does not bring an ended turn back", () => {
    const { log, question, turn } = running();
    log.end(turn, question, "done");
    const late: ServerFrame = {
      type: "message:snapshot",
      turnId: turn.turnId,
      messageId: turn.messageId,
      parts: [text("do")],
    };
    const view = frames([...log.frames(), late]);
    expect(view.running).toBeNull();
    expect(texts(view)).toEqual(["hello", "done"]);
  });

  test("an unfinished tool input does not hold up the words after it", () => {
    const { turn, view } = running();
    const input: DeltaFrame = { ...delta(turn, 5, "{"), kind: "tool-input" };
    expect(texts(frames([delta(turn, 0, "ab"), input, delta(turn, 2, "cd")], view))[1]).toBe("abcd");
  });
});

describe("events", () => {
  test("of a waiting turn that is stopped leave the answer that is being written alone", () => {
    const { log, turn, view } = running();
    const before = frames([delta(turn, 0, "ab")], view);
    const read = log.events.length;
    const waiting = log.ask("and then?");
    const stopped = log.start(waiting);
    log.add({
      type: "turn:interrupted",
      turnId: stopped.turnId,
      message: log.answer(stopped, waiting, ""),
      why: "Stopped.",
      willContinue: false,
    });
    const after = frames([...log.frames(read), delta(turn, 2, "cd")], before);
    expect(after.running).toMatchObject({ turnId: turn.turnId, parts: [text("abcd")] });
  });

  test("apply once and in order; early ones wait to be replayed", () => {
    const { log, question, turn } = running();
    log.end(turn, question, "answer");
    const [added, started, completed] = log.frames();
    if (!added || !started || !completed) throw new Error("the log has three events");
    const view = frames([added, completed, started, started, added, completed]);
    expect(texts(view)).toEqual(["hello", "answer"]);
    expect(view.seq).toBe(3);
  });

  test("a queued question stands after the running answer, its own answer after it", () => {
    const { log, question, turn } = running();
    const queued = log.ask("and then?");
    log.end(turn, question, "first");
    const next = log.start(queued);
    log.end(next, queued, "second");
    const view = frames(log.frames());
    expect(texts(view)).toEqual(["hello", "first", "and then?", "second"]);
    expect(statuses(view)).toEqual(["answered", "done", "answered", "done"]);
  });

  test("an edit is a sibling, and the head says which one is shown", () => {
    const log = new Log();
    const first = log.ask("one");
    const second = log.ask("two", testId(), null);
    const view = frames(log.frames());
    expect(texts(view)).toEqual(["two"]);
    expect(view.messages[0]?.siblings).toEqual([first, second]);
    expect(texts(frames(log.add({ type: "head:moved", messageId: first }).frames()))).toEqual(["one"]);
  });

  test("a failed turn keeps what was written and says why", () => {
    const { log, turn, view } = running();
    const shown = frames([delta(turn, 0, "half")], view);
    log.add({
      type: "turn:failed",
      turnId: turn.turnId,
      error: { code: "provider_failed", message: "Overloaded." },
      canRetry: true,
    });
    const failed = frames(log.frames(2), shown);
    expect(failed.messages[1]).toMatchObject({ status: "failed", error: "Overloaded.", parts: [text("half")] });
    expect(failed.messages[1]?.turn?.notices).toMatchObject([{ kind: "failed", canRetry: true }]);
    expect(failed.running).toBeNull();
  });

  test("an interrupted turn that goes on shows the seam; one that does not is stopped", () => {
    const { log, question, turn } = running();
    const message = log.answer(turn, question, "so far");
    const at = { turnId: turn.turnId, message };
    log.add({ type: "turn:interrupted", ...at, why: "Restarted.", willContinue: true });
    const interrupted = frames(log.frames());
    expect(statuses(interrupted)[1]).toBe("interrupted");
    log.add({ type: "turn:continued", turnId: turn.turnId, why: "It goes on here." });
    log.add({
      type: "turn:rerouted",
      turnId: turn.turnId,
      from: { provider: "a", model: "x" },
      to: { provider: "b", model: "y" },
      why: "Down.",
    });
    const continued = frames([...log.frames(), delta(turn, 0, " and on", 1)]);
    expect(continued.messages[1]).toMatchObject({ status: "streaming", parts: [text("so far"), text(" and on")] });
    log.add({ type: "turn:interrupted", ...at, why: "Stopped.", willContinue: false });
    const stopped = frames(log.frames());
    expect(stopped.messages[1]).toMatchObject({ status: "stopped" });
    expect(stopped.messages[1]?.turn?.notices.map(({ kind }) => kind)).toEqual([
      "interrupted",
      "continued",
      "rerouted",
      "interrupted",
    ]);
  });

  test("a reroute names the providers where it is told them, and a mere retry says only why", () => {
    const { log, turn } = running();
    const [a, why] = [{ provider: "ollama", model: "x" }, "Down."];
    const add = (from: object, to: object) =>
      log.add({ type: "turn:rerouted", turnId: turn.turnId, from: { ...a, ...from }, to: { ...a, ...to }, why });
    add({ displayName: "box" }, { displayName: "attic" });
    add({}, { model: "y" });
    add({}, {});
    const told = frames(log.frames()).messages[1]?.turn?.notices.map((notice) => notice.text);
    expect(told).toEqual(["x (box) → x (attic): Down.", "x → y: Down.", "Down."]);
  });

  test("tools become parts of the answer, and an approval waits until it is given", () => {
    const { log, turn } = running();
    const call = { callId: "c1", name: "read", input: { path: "x" }, step: 0 };
    log.add({ type: "tool:requested", turnId: turn.turnId, call, needsApproval: true });
    const asked = frames(log.frames());
    expect(asked.messages[1]?.parts).toEqual([{ type: "tool-call", ...call }]);
    expect(asked.messages[1]?.turn?.needsApproval).toEqual(["c1"]);
    log.add({ type: "tool:completed", turnId: turn.turnId, callId: "c1", outcome: { output: "ok", isError: false } });
    const done = frames(log.frames());
    expect(done.messages[1]?.parts[1]).toMatchObject({ type: "tool-result", callId: "c1", output: "ok" });
    expect(done.messages[1]?.turn?.needsApproval).toEqual([]);
  });

  test("a deleted message keeps its place and loses its content", () => {
    const { log, question, turn } = running();
    log.end(turn, question, "answer").add({ type: "message:deleted", messageId: question });
    expect(frames(log.frames()).messages[0]).toMatchObject({ deleted: true, parts: [] });
  });

  test("a message that comes back as an event is not shown twice", () => {
    const log = new Log();
    const id = log.ask("hello");
    const entry = { id, text: "hello", whenBusy: "queue" as const, queuedAt: AT, place: 1 };
    const pending = reduceView(emptyView, {
      type: "pending",
      pending: [{ id, entry, state: "sending", error: null, kept: true }],
    });
    expect(statuses(pending)).toEqual(["sending"]);
    expect(statuses(frames(log.frames(), pending))).toEqual(["saved"]);
  });

  test("a message that joined a running answer says so, and is answered by it", () => {
    const { log, question, turn } = running();
    const steering = log.ask("shorter, please");
    const taken = reduceView(frames(log.frames()), { type: "taken", id: steering, state: "steered" });
    expect(taken.messages.find(({ id }) => id === steering)).toMatchObject({ status: "saved", taken: "steered" });
    const message = aMessage({
      id: turn.messageId,
      seq: 2,
      role: "assistant",
      parentId: question,
      parts: [text("short")],
      metadata: { turnId: turn.turnId, replyTo: question, steeredBy: [steering] },
    });
    log.add({ type: "turn:completed", turnId: turn.turnId, message, usage });
    const view = frames(log.frames());
    expect(view.messages.map(({ role, status }) => `${role} ${status}`)).toEqual([
      "user answered",
      "assistant done",
      "user answered",
    ]);
  });

  test("title, model and errors are told", () => {
    const log = new Log();
    log.add({ type: "title:changed", title: "New" }).add({ type: "model:switched", model: "openai/m", pinned: true });
    const view = frames([...log.frames(), { type: "error", code: "invalid_json", message: "Bad frame." }]);
    expect(view.title).toBe("New");
    expect(view.notices.map(({ kind }) => kind)).toEqual(["model", "error"]);
    expect(view.notices[0]?.text).toBe("Messages go to m now.");
  });

  test("a reset forgets the conversation and keeps what is on its way", () => {
    const { view } = running();
    const entry = { id: testId(), text: "x", whenBusy: "queue" as const, queuedAt: AT, place: 1 };
    const sending = reduceView(view, {
      type: "pending",
      pending: [{ id: entry.id, entry, state: "sending", error: null, kept: true }],
    });
    const reset = reduceView(sending, { type: "reset" });
    expect(reset.seq).toBe(0);
    expect(texts(reset)).toEqual(["x"]);
  });
});

describe("decoding", () => {
  test("unknown frames are ignored, unknown events keep their place, unknown fields and parts are dropped", () => {
    expect(decodeServerFrame("nonsense")).toBeNull();
    expect(decodeServerFrame('{"type":"later"}')).toBeNull();
    const unknown = decodeServerFrame(JSON.stringify({ type: "event", seq: 1, at: AT, event: { type: "later" } }));
    expect(unknown).toEqual({ type: "unknown-event", seq: 1 });
    const message = { ...aMessage({ seq: 2 }), parts: [{ type: "hologram" }, text("words")], more: true };
    const known = decodeServerFrame(
      JSON.stringify({ type: "event", seq: 2, at: AT, more: 1, event: { type: "message:added", message } }),
    );
    if (!unknown || !known) throw new Error("both frames are events");
    expect(texts(frames([unknown, known]))).toEqual(["words"]);
  });

  test("hostile nesting and numbers are refused as values", () => {
    expect(decodeServerFrame(JSON.stringify({ type: "event", seq: -1, at: AT, event: {} }))).toBeNull();
    expect(decodeServerFrame("[".repeat(1000))).toBeNull();
  });
});

test("messages that did not change keep their identity", () => {
  const { log, question, turn } = running();
  log.end(turn, question, "one");
  const before = frames(log.frames());
  const next = log.ask("again");
  log.start(next);
  const after = frames(log.frames(3), before);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(after.messages[1]).toBe(before.messages[1]);
});

/** What is shown, without what depends on the road there. */
const shownBy = ({ connection: _c, welcomedAt: _w, ...view }: View) => view;

test("any mixture of replay and live frames ends in the same view", () => {
  const turns = fc.array(
    fc.record({ words: fc.array(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 6 }), ends: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  return fc.assert(
    fc.property(turns, fc.infiniteStream(fc.nat()), fc.boolean(), (script, chances, complete) => {
      const log = new Log();
      const live: { frame: ServerFrame; seq: number; snapshot: ServerFrame | null }[] = [];
      let snapshot: ServerFrame | null = null;
      const tell = (frame: ServerFrame): void => void live.push({ frame, seq: log.events.length, snapshot });
      const tellNew = (from: number): void => {
        for (const [index, frame] of log.frames(from).entries()) live.push({ frame, seq: from + index + 1, snapshot });
      };
      for (const [index, { words, ends }] of script.entries()) {
        const from = log.events.length;
        const question = log.ask(`question ${index}`);
        const turn = log.start(question);
        snapshot = { type: "message:snapshot", turnId: turn.turnId, messageId: turn.messageId, parts: [] };
        tellNew(from);
        let sofar = "";
        for (const word of words) {
          const frame = delta(turn, sofar.length, word);
          sofar += word;
          snapshot = { ...snapshot, parts: [text(sofar)] };
          tell(frame);
        }
        if (!complete && index === script.length - 1) continue;
        const before = log.events.length;
        const error = { code: "internal" as const, message: "no" };
        if (ends) log.end(turn, question, sofar);
        else log.add({ type: "turn:failed", turnId: turn.turnId, error, canRetry: false });
        snapshot = null;
        tellNew(before);
      }
      const straight = frames(live.map(({ frame }) => frame));
      let view = emptyView;
      for (let at = 0; at < live.length; at += 1) {
        const now = live[at];
        const chance = (chances.next().value ?? 0) % 5;
        if (!now) break;
        if (chance === 0) view = frames([now.frame, now.frame], view);
        else if (chance === 1) {
          // A cut here: the log after what was read, then a snapshot of what runs.
          view = reduceView(view, { type: "connection", connection: { state: "waiting", attempt: 1, retryAt: 0 } });
          view = reduceView(view, { type: "connection", connection: { state: "open" } });
          const replay = log.events.slice(view.seq, now.seq).map((event): ServerFrame => ({ type: "event", ...event }));
          view = frames([...replay, ...(now.snapshot ? [now.snapshot] : [])], view);
        } else if (chance === 2) view = frames([...log.frames(now.seq + 1), now.frame], view);
        else view = reduceAll(view, [{ type: "frame", frame: now.frame }]);
      }
      // The end of every road: whatever is missing is replayed.
      view = frames([...log.frames(view.seq), ...(snapshot ? [snapshot] : [])], view);
      expect(shownBy(view)).toEqual(shownBy(straight));
    }),
    { numRuns: 300 },
  );
});

test("a long history is replayed in one go without copying it for each event", () => {
  const log = new Log();
  for (let at = 0; at < 3000; at += 1) log.end(log.start(log.ask("q")), log.head ?? "", "a");
  const began = performance.now();
  const actions = log.frames().map((frame) => ({ type: "frame" as const, frame }));
  const view = reduceAll(emptyView, [{ type: "frame", frame: welcome(log) }, ...actions]);
  expect(view.messages).toHaveLength(6000);
  expect(performance.now() - began).toBeLessThan(2000);
});

const welcome = (log: Log): ServerFrame => {
  const conversationId = testId();
  const session = aSession(conversationId);
  return { type: "welcome", protocol: 1, features: [], conversationId, lastSeq: log.events.length, session };
};
