import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImportConversation } from "../../contract/conversation.ts";
import type { ConversationEvent, LoggedEvent } from "../../contract/events.ts";
import type { Message } from "../../contract/message.ts";
import { testId } from "../../testing/builders.ts";
import { importLog } from "./import-log.ts";
import { changesOf } from "./project.ts";

const AT = "2026-01-01T00:00:00.000Z";
const NOW = "2026-11-21T12:00:00.000Z";
const OWNER = testId();
const IMPORTER = testId();

const exportOf = (events: LoggedEvent[]): ImportConversation =>
  ImportConversation.parse({
    format: "mosaic.conversation.v1",
    exportedAt: NOW,
    conversation: {
      id: testId(),
      workspaceId: testId(),
      ownerUserId: OWNER,
      visibility: "workspace",
      title: "A talk",
      model: null,
      agentId: null,
      personalityId: null,
      headId: null,
      forkedFrom: { conversationId: testId(), messageId: testId() },
      version: 3,
      createdAt: AT,
      updatedAt: AT,
    },
    messages: [],
    events,
  });

const imported = (events: LoggedEvent[]) => importLog(exportOf(events), { userId: IMPORTER, at: NOW, newId: testId });

const logOf = (...events: ConversationEvent[]): LoggedEvent[] =>
  events.map((event, index) => ({ seq: index + 1, at: AT, event }));

const user = (id: string, parentId: string | null = null, more: Partial<Message> = {}): Message => ({
  id,
  seq: 1,
  updatedSeq: 1,
  parentId,
  role: "user",
  parts: [{ type: "text", text: "words" }],
  metadata: { authorUserId: OWNER },
  createdAt: AT,
  ...more,
});
const added = (message: Message): ConversationEvent => ({ type: "message:added", message });

const receipt = (id: string) => ({
  id,
  classification: {
    taskType: "conversation" as const,
    complexity: "simple" as const,
    domain: "general" as const,
    requiredCapabilities: [],
    confidence: { taskType: 0, complexity: 0, domain: 0 },
  },
  chosen: { providerId: "p", provider: "p", model: "m" },
  pinned: false,
  rule: null,
  reason: "It is there.",
  rejected: [],
  predicted: { inputTokens: 1, outputTokens: 1, microUsd: 0 },
  alternatives: [],
  sticky: null,
  configuration: "fresh" as const,
});
const begun = (turnId: string, messageId: string, replyTo: string, parentId: string | null): ConversationEvent => ({
  type: "turn:started",
  turnId,
  messageId,
  replyTo,
  parentId,
  receipt: receipt(testId()),
});
const completed = (turnId: string, messageId: string, more: Partial<Message> = {}): ConversationEvent => ({
  type: "turn:completed",
  turnId,
  message: user(messageId, null, { role: "assistant", metadata: { turnId }, ...more }),
  usage: { inputTokens: 1, outputTokens: 2, cachedTokens: 0 },
});

/** A settled conversation: questions anywhere in the tree, each answered, some deleted or edited. */
const settledLog = fc
  .array(fc.record({ parent: fc.nat(), ending: fc.nat(4), extra: fc.nat(5), text: fc.string() }), { maxLength: 12 })
  .map((steps) => {
    const events: ConversationEvent[] = [];
    const ids: string[] = [];
    for (const { parent, ending, extra, text } of steps) {
      const [q, a, turnId] = [testId(), testId(), testId()];
      const under = ids[parent % (ids.length + 1)] ?? null;
      events.push(added(user(q, under, { parts: [{ type: "text", text }] })), begun(turnId, a, q, q));
      if (ending === 1) {
        const error = { code: "internal" as const, message: "no" };
        events.push({ type: "turn:failed", turnId, error, canRetry: true });
      } else if (ending === 2) {
        const steered = testId();
        events.push(added(user(steered, a)));
        events.push(completed(turnId, a, { parentId: q, metadata: { turnId, replyTo: q, steeredBy: [steered] } }));
      } else events.push(completed(turnId, a, { parentId: q }));
      ids.push(q, a);
      const any = ids[(parent + extra) % ids.length] ?? q;
      if (extra === 1) events.push({ type: "head:moved", messageId: any });
      if (extra === 2) events.push({ type: "message:deleted", messageId: any });
      if (extra === 3) events.push({ type: "title:changed", title: `t${text}`.trim() });
      if (extra === 4) events.push({ type: "model:switched", model: "m", pinned: true });
    }
    return logOf(...events);
  });

/** Ids by their first appearance; what identity changes is left out. */
function normal(log: readonly LoggedEvent[]): unknown {
  const ids = new Map<string, string>();
  const rows = log.map(({ seq, event }) => ({
    seq,
    event,
    changes: changesOf({ seq, at: AT, event }).map(({ kind }) => kind),
  }));
  const text = JSON.stringify(rows, (key, value: unknown) =>
    ["authorUserId", "createdAt", "updatedSeq"].includes(key) || (key === "seq" && value !== null) ? undefined : value,
  );
  return text.replaceAll(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, (id) => {
    ids.set(id, ids.get(id) ?? `"id ${ids.size}"`);
    return ids.get(id) ?? "";
  });
}

describe("an imported log", () => {
  it("is equal to the exported one up to ids, times and owner, and so is the import of its export", () => {
    fc.assert(
      fc.property(settledLog, (log) => {
        const once = imported(log);
        expect(normal(once.log)).toBe(normal(log));
        expect(normal(imported(once.log).log)).toBe(normal(log));
        const before = new Set(JSON.stringify(log).match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
        before.delete(OWNER);
        for (const id of JSON.stringify(once.log).match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [])
          expect(before.has(id)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it("never throws anything but a refusal that names the event, however a log is mangled", () => {
    const mangled = fc.tuple(
      settledLog,
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(3)), { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(mangled, ([log, cuts]) => {
        const events = [...log];
        for (const [at, other, how] of cuts) {
          const [i, j] = [at % (events.length || 1), other % (events.length || 1)];
          const [one, two] = [events[i], events[j]];
          if (!one || !two) continue;
          if (how === 0) events.splice(i, 1);
          if (how === 1) events.splice(i, 0, two);
          if (how === 2) [events[i], events[j]] = [two, one];
          if (how === 3) events[i] = { ...one, seq: other };
        }
        const renumbered = cuts[0]?.[2] === 3 ? events : events.map((logged, index) => ({ ...logged, seq: index + 1 }));
        try {
          const { log: made } = imported(renumbered);
          expect(made.map(({ seq }) => seq)).toEqual(made.map((_each, index) => index + 1));
        } catch (error) {
          expect(error).toMatchObject({
            name: "AppError",
            code: "invalid_request",
            message: expect.stringMatching(/^`events\.\d+`: /),
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it("ends what was being written and what waited", () => {
    const [q1, q2, a, turnId] = [testId(), testId(), testId(), testId()];
    const cut = { type: "turn:continued" as const, turnId, why: "A restart." };
    const { log } = imported(logOf(added(user(q1)), begun(turnId, a, q1, q1), added(user(q2, q1)), cut));
    expect(log.slice(4).map(({ event }) => event.type)).toEqual([
      "turn:interrupted",
      "turn:started",
      "turn:interrupted",
    ]);
    for (const { event } of log.slice(4)) {
      if (event.type === "turn:interrupted") expect(event).toMatchObject({ willContinue: false, why: /exported/ });
    }
  });

  it("says of nobody else that they wrote something, and holds no file that was another's", () => {
    const [stranger, fileId] = [testId(), testId()];
    const parts: Message["parts"] = [{ type: "image", fileId, mediaType: "image/png", name: "me.png" }];
    const { log } = imported(
      logOf(
        added(user(testId(), null, { role: "assistant" })),
        added(user(testId(), null, { role: "system", metadata: { authorUserId: stranger }, parts })),
      ),
    );
    const [mine, theirs] = log.map(({ event }) => ("message" in event ? event.message : null));
    expect(mine?.metadata.authorUserId).toBe(IMPORTER);
    expect(theirs?.metadata.authorUserId).toBeUndefined();
    expect(JSON.stringify(theirs)).not.toContain(fileId);
    expect(theirs?.parts).toMatchObject([{ type: "image", name: "me.png" }]);
  });

  it("keeps keys that mean something to a program as mere data", () => {
    const [q, a, turnId] = [testId(), testId(), testId()];
    const input: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}');
    const call = { callId: "__proto__", name: "constructor", input, step: 0 };
    const { log } = imported(
      logOf(
        added(user(q)),
        begun(turnId, a, q, q),
        { type: "tool:requested", turnId, call, needsApproval: false },
        completed(turnId, a),
      ),
    );
    expect(JSON.stringify(log[2])).toContain('{"__proto__":{"isAdmin":true},"constructor":1}');
    expect(Object.hasOwn(Object.prototype, "isAdmin")).toBe(false);
  });

  const [m, other, turnId, answer] = [testId(), testId(), testId(), testId()];
  it.each<[string, ConversationEvent[], RegExp]>([
    ["an unknown parent", [added(user(m, other))], /events\.0.*not there yet/],
    ["itself as its parent", [added(user(m, m))], /events\.0.*not there yet/],
    ["the same message twice", [added(user(m)), added(user(m))], /events\.1.*second time/],
    ["an ending without a start", [added(user(m)), completed(turnId, m)], /events\.1.*not begun/],
    [
      "two endings",
      [added(user(m)), begun(turnId, answer, m, m), completed(turnId, answer), completed(turnId, answer)],
      /events\.3.*has ended/,
    ],
    ["another's answer", [added(user(m)), begun(turnId, answer, m, m), completed(turnId, m)], /events\.2.*not its own/],
    ["a head that is not there", [{ type: "head:moved", messageId: other }], /events\.0.*not there yet/],
    ["the deletion of nothing", [{ type: "message:deleted", messageId: other }], /events\.0.*not there yet/],
    ["a change of nothing", [{ type: "message:updated", message: user(other) }], /events\.0.*not there yet/],
    [
      "a turn that begins twice",
      [added(user(m)), begun(turnId, answer, m, m), begun(turnId, other, m, m)],
      /events\.2.*second time/,
    ],
    [
      "a model with an endless name",
      [{ type: "model:switched", model: "m".repeat(201), pinned: true }],
      /events\.0.*200/,
    ],
  ])("is refused with %s", (_what, events, why) => {
    expect(() => imported(logOf(...events))).toThrow(why);
  });

  it("is refused with an event that no object could store, and with a gap", () => {
    const parts: Message["parts"] = Array.from({ length: 5 }, () => ({ type: "text", text: "x".repeat(400_000) }));
    expect(() => imported(logOf(added(user(m, null, { parts }))))).toThrow(/1800000 bytes/);
    expect(() => imported([{ seq: 2, at: AT, event: { type: "title:changed", title: "x" } }])).toThrow(/position 2/);
  });

  it("happened at no time that has not come yet", () => {
    const { log } = imported([
      { seq: 1, at: "9999-01-01T00:00:00.000Z", event: { type: "title:changed", title: "x" } },
    ]);
    expect(log[0]?.at).toBe(NOW);
  });

  it("of ten thousand events is read in a moment", () => {
    const events: ConversationEvent[] = [];
    let parentId: string | null = null;
    for (let index = 0; index < 10_000; index++) {
      const id = testId();
      events.push(added(user(id, parentId, { role: "assistant" })));
      parentId = id;
    }
    expect(imported(logOf(...events)).log).toHaveLength(10_000);
  });
});
