import { describe, expect, test } from "vitest";
import type { ConversationEvent } from "../contract/events.ts";
import type { ServerFrame } from "../contract/frames.ts";
import type { Part } from "../contract/message.ts";
import { aMessage, testId } from "../testing/builders.ts";
import { aReceipt, aSession } from "../testing/node/protocol-server.ts";
import type { IncomingFrame } from "./decode-frame.ts";
import { reduceView } from "./view.ts";
import { endingOf, joinedTo, seamsOf, stoppedBy } from "./view-seams.ts";
import { emptyView, type ViewMessage } from "./view-state.ts";

const AT = "2026-11-21T00:00:00.000Z";
const WHY = "The server was restarted while this answer was being written.";
const text = (value: string): Part => ({ type: "text", text: value });

/** One question, and an answer that begins; what follows is up to the test. */
function answering(lastSeq = 0) {
  const question = testId();
  const [turnId, messageId, conversationId] = [testId(), testId(), testId()];
  let seq = 0;
  const event = (value: ConversationEvent): ServerFrame => {
    seq += 1;
    return { type: "event", seq, at: AT, event: value };
  };
  const answer = (parts: Part[]) =>
    aMessage({
      id: messageId,
      seq: 1,
      role: "assistant",
      parentId: question,
      parts,
      metadata: { turnId, replyTo: question },
    });
  const begin: IncomingFrame[] = [
    { type: "welcome", protocol: 1, features: [], conversationId, lastSeq, session: aSession(conversationId) },
    event({ type: "message:added", message: aMessage({ id: question, seq: 1, parts: [text("Q")] }) }),
    event({ type: "turn:started", turnId, messageId, parentId: question, replyTo: question, receipt: aReceipt() }),
  ];
  return {
    begin,
    event,
    delta: (part: number, value: string): IncomingFrame => ({
      type: "message:delta",
      turnId,
      messageId,
      part,
      kind: "text",
      offset: 0,
      text: value,
    }),
    continued: (afterParts?: number) =>
      event({ type: "turn:continued", turnId, why: WHY, ...(afterParts === undefined ? {} : { afterParts }) }),
    interrupted: (why: string, willContinue: boolean) =>
      event({ type: "turn:interrupted", turnId, message: answer([text("half")]), why, willContinue }),
    failed: (message: string) =>
      event({ type: "turn:failed", turnId, error: { code: "provider_failed", message }, canRetry: true }),
    completed: (parts: Part[]) =>
      event({
        type: "turn:completed",
        turnId,
        message: answer(parts),
        usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
      }),
  };
}

function answerOf(frames: IncomingFrame[]): ViewMessage {
  const view = frames.reduce((so, frame) => reduceView(so, { type: "frame", frame }), emptyView);
  const message = view.messages.find(({ role }) => role === "assistant");
  if (!message) throw new Error("There is an answer.");
  return message;
}
const placesOf = (message: ViewMessage): number[] => seamsOf(message).map(({ afterParts }) => afterParts);

describe("a seam", () => {
  test("seen live stands where the answer was cut, whatever follows", () => {
    const { begin, delta, continued, completed } = answering();
    const cut = [...begin, delta(0, "before"), continued()];
    expect(placesOf(answerOf(cut))).toEqual([1]);
    expect(placesOf(answerOf([...cut, delta(1, "after"), delta(2, "more")]))).toEqual([1]);
    const parts: Part[] = [text("before"), { type: "thinking", text: "…" }, text("after")];
    expect(placesOf(answerOf([...cut, completed(parts)]))).toEqual([1]);
  });

  test("that is replayed stands where the words begin anew", () => {
    const { begin, continued, completed } = answering(99);
    expect(placesOf(answerOf([...begin, continued(), completed([text("before"), text("after")])]))).toEqual([1]);
  });

  test("stands where the log says, live and replayed", () => {
    const { begin, continued, completed } = answering(99);
    const parts: Part[] = [text("before"), { type: "thinking", text: "…" }, text("after")];
    expect(placesOf(answerOf([...begin, continued(2), completed(parts)]))).toEqual([2]);
    const live = answering();
    expect(placesOf(answerOf([...live.begin, live.delta(0, "a"), live.delta(1, "b"), live.continued(1)]))).toEqual([1]);
    const beyond = answering();
    expect(placesOf(answerOf([...beyond.begin, beyond.delta(0, "only one"), beyond.continued(7)]))).toEqual([1]);
  });

  test("whose place nobody knows stands below", () => {
    const { begin, continued, completed } = answering(99);
    const parts: Part[] = [text("before"), { type: "thinking", text: "…" }, text("after")];
    expect(placesOf(answerOf([...begin, continued(), completed(parts)]))).toEqual([3]);
  });
});

describe("what is said", () => {
  test("several times in a row is said once", () => {
    const { begin, continued } = answering(99);
    const message = answerOf([...begin, continued(), continued(), continued()]);
    expect(seamsOf(message).map(({ notice }) => notice.text)).toEqual([WHY]);
  });

  test("at two places is said at both", () => {
    const { begin, delta, continued } = answering();
    expect(placesOf(answerOf([...begin, delta(0, "a"), continued(), delta(1, "b"), continued()]))).toEqual([1, 2]);
  });

  test("at the end is the ending, and no seam as well", () => {
    const { begin, interrupted } = answering();
    const message = answerOf([...begin, interrupted("Stopped by Ada.", false)]);
    expect(seamsOf(message)).toEqual([]);
    expect(stoppedBy(endingOf(message))).toBe("Ada");
  });

  test("by an interruption and the failure after it is said once", () => {
    const { begin, interrupted, failed } = answering();
    const message = answerOf([...begin, interrupted("Overloaded.", true), failed("Overloaded.")]);
    expect(seamsOf(message)).toEqual([]);
    expect([endingOf(message)?.text, stoppedBy(endingOf(message))]).toEqual(["Overloaded.", null]);
  });
});

test("a message that joined an answer stands where it was said, where that is known and the message is there", () => {
  const { begin, completed } = answering();
  const message = answerOf([...begin, completed([text("a"), text("b")])]);
  const [first, second, gone] = [testId(), testId(), testId()];
  const said = new Map([first, second].map((id) => [id, { ...message, id, metadata: {} }]));
  const steered = (steeredAt: number[]) => ({
    ...message,
    metadata: { ...message.metadata, steeredBy: [first, gone, second], steeredAt },
  });
  const places = (steeredAt: number[]) =>
    joinedTo(steered(steeredAt), said).map(({ message: { id }, afterParts }) => [id, afterParts]);
  expect(places([1, 1, 9])).toEqual([
    [first, 1],
    [second, 2],
  ]);
  expect(places([])).toEqual([]);
  expect(joinedTo(message, said)).toEqual([]);
});
