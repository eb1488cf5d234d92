import { describe, expect, it } from "vitest";
import { aMessage, testId } from "../../testing/builders.ts";
import { decideSend, MAX_WAITING_TURNS, type SendCommand, type SendFacts } from "./decide.ts";

const command = (overrides: Partial<SendCommand> = {}): SendCommand => ({
  id: testId(),
  parts: [{ type: "text", text: "hello" }],
  model: null,
  whenBusy: "queue",
  authorUserId: testId(),
  client: "web",
  ...overrides,
});
const facts = (overrides: Partial<SendFacts> = {}): SendFacts => ({
  known: null,
  headId: null,
  openTurns: 0,
  running: null,
  nextSeq: 7,
  at: "2026-11-21T12:00:00.000Z",
  turnId: testId(),
  answerId: testId(),
  ...overrides,
});

describe("deciding on a message", () => {
  it("accepts it at the next position, below the head, with a turn to answer it", () => {
    const head = testId();
    const sent = command();
    const decision = decideSend(sent, facts({ headId: head }));
    expect(decision).toMatchObject({
      kind: "accepted",
      state: "started",
      event: {
        type: "message:added",
        message: { id: sent.id, seq: 7, parentId: head, role: "user", parts: sent.parts },
      },
      turn: { replyTo: sent.id },
    });
  });

  it("queues it behind a running turn", () => {
    expect(decideSend(command(), facts({ openTurns: 1 }))).toMatchObject({ kind: "accepted", state: "queued" });
  });

  it("lets it reach the running turn where the sender wants to steer, and starts one where nothing runs", () => {
    const steering = command({ whenBusy: "steer" });
    const running = { id: testId(), askedBy: steering.authorUserId };
    expect(decideSend(steering, facts({ openTurns: 1, running }))).toMatchObject({
      state: "steered",
      steers: running.id,
      turn: { replyTo: steering.id, askedBy: steering.authorUserId },
    });
    expect(decideSend(steering, facts())).toMatchObject({ state: "started", steers: null });
  });

  it.each([
    ["somebody else asked for", testId()],
    ["nobody knows who asked for", null],
  ])("queues it behind a running turn that %s, though the sender wants to steer", (_what, askedBy) => {
    const decision = decideSend(
      command({ whenBusy: "steer" }),
      facts({ openTurns: 1, running: { id: testId(), askedBy } }),
    );
    expect(decision).toMatchObject({ kind: "accepted", state: "queued", steers: null });
  });

  it("stores nothing when the sender wants no waiting", () => {
    const decision = decideSend(command({ whenBusy: "reject" }), facts({ openTurns: 1 }));
    expect(decision).toMatchObject({ kind: "refused", error: { code: "busy" } });
  });

  it("bounds the queue", () => {
    expect(decideSend(command(), facts({ openTurns: MAX_WAITING_TURNS + 1 }))).toMatchObject({
      kind: "refused",
      error: { code: "busy" },
    });
  });

  it("answers a repeated message as the first time and adds nothing", () => {
    const sent = command();
    const message = aMessage({ id: sent.id, parts: sent.parts, seq: 3 });
    const known = { message, deleted: false, model: null, state: "queued" as const, turnId: "t" };
    expect(decideSend(sent, facts({ known }))).toEqual({ kind: "duplicate", seq: 3, state: "queued", turnId: "t" });
  });

  it.each([
    ["other words", { parts: [{ type: "text" as const, text: "bye" }] }],
    ["another model", { model: "opus" }],
  ])("refuses an id that already stands for a message with %s", (_what, change) => {
    const sent = command();
    const known = {
      message: aMessage({ id: sent.id, parts: sent.parts }),
      deleted: false,
      model: null,
      state: "started" as const,
      turnId: null,
    };
    expect(decideSend({ ...sent, ...change }, facts({ known }))).toMatchObject({
      kind: "refused",
      error: { code: "idempotency_conflict" },
    });
  });

  it("does not bring a deleted message back", () => {
    const sent = command();
    const known = {
      message: aMessage({ id: sent.id, parts: [] }),
      deleted: true,
      model: null,
      state: "started" as const,
      turnId: null,
    };
    expect(decideSend(sent, facts({ known })).kind).toBe("duplicate");
  });
});
