import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ConversationEvent } from "../contract/events.ts";
import type { ServerFrame } from "../contract/frames.ts";
import { textOf } from "../contract/message.ts";
import { aMessage, testId } from "../testing/builders.ts";
import { aReceipt } from "../testing/node/protocol-server.ts";
import { reduceView } from "./view.ts";
import { emptyView, type View } from "./view-state.ts";

const AT = "2026-11-21T00:00:00.000Z";
const usage = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 };

interface Running {
  turnId: string;
  messageId: string;
  parentId: string | null;
  asked: { id: string; name: string };
}

/** What a server logs while people ask (`a`), answers begin (`b`) with the oldest open question, and end (`e`). */
function logOf(script: readonly string[]): ServerFrame[] {
  const frames: ServerFrame[] = [];
  const open: { id: string; name: string }[] = [];
  let head: string | null = null;
  let running: Running | null = null;
  let count = 0;
  const add = (event: ConversationEvent) => frames.push({ type: "event", seq: frames.length + 1, at: AT, event });
  for (const step of script) {
    if (step === "a") {
      count += 1;
      const id = testId();
      const parts = [{ type: "text" as const, text: `Q${count}` }];
      add({ type: "message:added", message: aMessage({ id, seq: frames.length + 1, parentId: head, parts }) });
      open.push({ id, name: String(count) });
      head = id;
    } else if (step === "b" && !running) {
      const asked = open.shift();
      if (!asked) continue;
      const [turnId, messageId, parentId]: [string, string, string | null] = [testId(), testId(), head];
      running = { turnId, messageId, parentId, asked };
      add({ type: "turn:started", turnId, messageId, parentId, replyTo: asked.id, receipt: aReceipt() });
      head = messageId;
    } else if (step === "e" && running) {
      const { turnId, messageId, parentId, asked } = running;
      const parts = [{ type: "text" as const, text: `A${asked.name}` }];
      const metadata = { turnId, replyTo: asked.id };
      const message = aMessage({ id: messageId, seq: 1, role: "assistant", parentId, parts, metadata });
      add({ type: "turn:completed", turnId, usage, message });
      running = null;
    }
  }
  return frames;
}

const apply = (frames: readonly ServerFrame[], view: View = emptyView): View =>
  frames.reduce((so, frame) => reduceView(so, { type: "frame", frame }), view);
const texts = (view: View): string[] => view.messages.map(({ parts }) => textOf(parts));

test("questions asked during an answer are each followed by their own answer", () => {
  expect(texts(apply(logOf([..."abaaebebe"])))).toEqual(["Q1", "A1", "Q2", "A2", "Q3", "A3"]);
});

test("an answer that is being written stands behind its question, before those that wait", () => {
  const view = apply(logOf([..."abaaeb"]));
  expect(view.messages.map(({ role, status }) => `${role} ${status}`)).toEqual([
    "user answered",
    "assistant done",
    "user saved",
    "assistant streaming",
    "user saved",
  ]);
});

test("however questions and answers fall together, every answer follows its question and no message is lost", () => {
  return fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "e"), { maxLength: 40 }), (script) => {
      const frames = logOf(script);
      const view = apply(frames);
      const asked = view.messages.filter(({ role }) => role === "user");
      expect(asked.map(({ parts }) => textOf(parts))).toEqual(asked.map((_, index) => `Q${index + 1}`));
      for (const [index, message] of view.messages.entries()) {
        if (message.role === "assistant") expect(view.messages[index - 1]?.id).toBe(message.metadata.replyTo);
      }
      expect(new Set(view.messages.map(({ id }) => id))).toEqual(new Set(view.tree.keys()));
    }),
    { numRuns: 300 },
  );
});
