import { describe, expect, it } from "vitest";
import type { ConversationEvent } from "../../contract/events.ts";
import { aMessage, testId } from "../../testing/builders.ts";
import { noteWork, noWork } from "./open-work.ts";

const read = (...events: ConversationEvent[]) => {
  const work = noWork();
  events.forEach((event, index) => {
    noteWork(work, { seq: index + 1, at: "2026-11-21T12:00:00.000Z", event });
  });
  return { turns: [...work.turns.keys()], asked: [...work.asked] };
};

const ask = (id: string, metadata = {}): ConversationEvent => ({
  type: "message:added",
  message: aMessage({ id, metadata }),
});
const [q, turnId, answer] = [testId(), testId(), testId()];
const interrupted = (willContinue: boolean, steeredBy: string[] = []): ConversationEvent => ({
  type: "turn:interrupted",
  turnId,
  message: aMessage({ id: answer, role: "assistant", metadata: { steeredBy } }),
  why: "cut",
  willContinue,
});
const begun = { type: "turn:started", turnId, messageId: answer, replyTo: q } as ConversationEvent;

describe("what a log leaves open", () => {
  it("is a message that nobody took up, with its place; not one that was deleted, or answered where a fork took it from", () => {
    const forkedFrom = { conversationId: testId(), messageId: testId() };
    expect(read(ask(q), ask(testId(), { forkedFrom }))).toEqual({ turns: [], asked: [[q, 1]] });
    expect(read(ask(q), { type: "message:deleted", messageId: q })).toEqual({ turns: [], asked: [] });
  });

  it("is a turn without an ending; one that will continue has none", () => {
    expect(read(ask(q), begun)).toEqual({ turns: [turnId], asked: [] });
    expect(read(ask(q), begun, interrupted(true))).toEqual({ turns: [turnId], asked: [] });
    expect(read(ask(q), begun, interrupted(false))).toEqual({ turns: [], asked: [] });
  });

  it("is no message that steered an answer: that one answers it too", () => {
    const [steering, late] = [testId(), testId()];
    expect(read(ask(q), begun, ask(steering), ask(late), interrupted(false, [steering]))).toEqual({
      turns: [],
      asked: [[late, 4]],
    });
  });
});
