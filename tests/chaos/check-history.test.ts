import { describe, expect, it } from "vitest";
import type { ConversationEvent, LoggedEvent } from "../../shared/contract/events.ts";
import type { Message } from "../../shared/contract/message.ts";
import { Receipt } from "../../shared/contract/receipt.ts";
import { checkHistory, type Observed } from "./check-history.ts";
import { emptyHistory, printOf } from "./history.ts";

const at = "2026-01-01T00:00:00.000Z";
const id = (name: string): string => `00000000-0000-4000-8000-${name.padStart(12, "0")}`;

const question = (name: string, seq: number, parentId: string | null): Message => ({
  id: id(name),
  seq,
  updatedSeq: seq,
  parentId,
  role: "user",
  parts: [{ type: "text", text: `words of ${name}` }],
  metadata: {},
  createdAt: at,
});

const answer = (name: string, turn: string, seq: number, parentId: string, updatedSeq: number): Message => ({
  id: id(name),
  seq,
  updatedSeq,
  parentId,
  role: "assistant",
  parts: [{ type: "text", text: `answer ${name}` }],
  metadata: { turnId: id(turn), finishReason: "stop" },
  createdAt: at,
});

const receipt = (name: string): Receipt =>
  Receipt.parse({
    id: id(name),
    classification: {
      taskType: "conversation",
      complexity: "simple",
      domain: "general",
      requiredCapabilities: [],
      confidence: { taskType: 0, complexity: 0, domain: 0 },
    },
    chosen: { providerId: "p", provider: "anthropic", model: "m" },
    pinned: false,
    rule: null,
    reason: "The only one.",
    rejected: [],
    predicted: { inputTokens: 0, outputTokens: 0, microUsd: 0 },
    alternatives: [],
    sticky: null,
    configuration: "fresh",
  });

const usage = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 };

/** Two questions and their answers, seen by one client that waits and one that does not. */
function soundHistory(): Observed {
  const events: ConversationEvent[] = [
    { type: "message:added", message: question("1", 1, null) },
    {
      type: "turn:started",
      turnId: id("a1"),
      messageId: id("b1"),
      replyTo: id("1"),
      parentId: id("1"),
      receipt: receipt("c1"),
    },
    { type: "turn:completed", turnId: id("a1"), message: answer("b1", "a1", 2, id("1"), 3), usage },
    { type: "message:added", message: question("2", 4, id("b1")) },
    {
      type: "turn:started",
      turnId: id("a2"),
      messageId: id("b2"),
      replyTo: id("2"),
      parentId: id("2"),
      receipt: receipt("c2"),
    },
    { type: "turn:completed", turnId: id("a2"), message: answer("b2", "a2", 5, id("2"), 6), usage },
  ];
  const log: LoggedEvent[] = events.map((event, index) => ({ seq: index + 1, at, event }));
  const messages = [
    question("1", 1, null),
    answer("b1", "a1", 2, id("1"), 3),
    question("2", 4, id("b1")),
    answer("b2", "a2", 5, id("2"), 6),
  ];
  const seen = log.map(({ seq, event }) => ({ seq, print: printOf(event) }));
  const sender = emptyHistory("sender", true);
  sender.sent = [
    { id: id("1"), text: "words of 1" },
    { id: id("2"), text: "words of 2" },
  ];
  sender.acks = [
    { id: id("1"), seq: 1 },
    { id: id("2"), seq: 4 },
  ];
  sender.readings = [{ since: 0, events: [...seen] }];
  const reader = emptyHistory("reader", false);
  reader.readings = [
    { since: 0, events: seen.slice(0, 4) },
    { since: 2, events: seen.slice(2) },
  ];
  return {
    conversationId: id("9"),
    clients: [sender, reader],
    object: { events: log, messages },
    postgres: {
      events: log.map(({ seq, event }) => ({ seq, event: JSON.parse(JSON.stringify(event)) })),
      messages: messages.map((message) => ({
        id: message.id,
        seq: message.seq,
        updatedSeq: message.updatedSeq,
        parentId: message.parentId,
        role: message.role,
        text: message.parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
        finishReason: message.metadata.finishReason ?? null,
      })),
      turns: ["1", "2"].map((name) => ({
        id: id(`a${name}`),
        messageId: id(`b${name}`),
        replyTo: id(name),
        receiptId: id(`c${name}`),
        state: "completed",
      })),
      receipts: ["1", "2"].map((name) => ({ id: id(`c${name}`), turnId: id(`a${name}`) })),
      lastSeq: 6,
      headId: id("b2"),
    },
  };
}

const rulesBrokenBy = (breakIt: (history: Observed) => void): string[] => {
  const history = soundHistory();
  breakIt(history);
  return [...new Set(checkHistory(history).map(({ rule }) => rule))];
};

const first = <Item>(items: readonly Item[]): Item => {
  const [item] = items;
  if (item === undefined) throw new Error("The history is empty.");
  return item;
};

describe("the checker", () => {
  it("has nothing against a sound history", () => {
    expect(checkHistory(soundHistory())).toEqual([]);
  });

  it.each<[string, string, (history: Observed) => void]>([
    ["a message that was never acknowledged", "sent-is-acknowledged", ({ clients }) => void first(clients).acks.pop()],
    [
      "an acknowledged message that is gone from the log",
      "acknowledged-is-kept",
      ({ clients }) => void first(clients).acks.push({ id: id("3"), seq: 7 }),
    ],
    [
      "a message that stands in the log twice",
      "acknowledged-is-kept",
      ({ object }) => void object.events.push({ seq: 7, at, event: first(object.events).event }),
    ],
    [
      "one message acknowledged at two places",
      "one-seq-per-message",
      ({ clients }) => void first(clients).acks.push({ id: id("1"), seq: 4 }),
    ],
    [
      "a message whose words changed",
      "acknowledged-is-kept",
      ({ clients }) => Object.assign(first(first(clients).sent), { text: "other words" }),
    ],
    [
      "a message that nobody sent",
      "acknowledged-is-kept",
      ({ clients }) => {
        first(clients).sent.pop();
        first(clients).acks.pop();
      },
    ],
    ["a hole in the log", "log-without-gaps", ({ object }) => void object.events.splice(2, 1)],
    [
      "the messages of a client that waits, in another order",
      "own-order",
      ({ clients }) => void first(clients).sent.reverse(),
    ],
    [
      "a client that skipped an event",
      "reading-in-order",
      ({ clients }) => void first(first(clients).readings).events.splice(3, 1),
    ],
    [
      "a client that read an event twice on one connection",
      "reading-in-order",
      ({ clients }) => {
        const { events } = first(first(clients).readings);
        events.splice(2, 0, first(events.slice(1)));
      },
    ],
    [
      "a client that was given another event at a position",
      "same-event-everywhere",
      ({ clients }) => Object.assign(first(first(first(clients).readings).events), { print: "message:added other" }),
    ],
    [
      "a client that never saw the end",
      "everyone-reads-all",
      ({ clients }) => void first(first(clients).readings).events.pop(),
    ],
    ["a log that became shorter", "log-without-gaps", ({ clients }) => Object.assign(first(clients), { resets: 1 })],
    [
      "a turn without an ending",
      "one-ending",
      ({ object }) => Object.assign(object.events[5] ?? {}, { event: { type: "title:changed", title: "x" } }),
    ],
    [
      "a turn with two endings",
      "one-ending",
      ({ object }) => void object.events.push({ ...first(object.events.slice(5)), seq: 7 }),
    ],
    [
      "a message without a turn",
      "one-ending",
      ({ object }) =>
        void object.events.push({ seq: 7, at, event: { type: "message:added", message: question("3", 7, null) } }),
    ],
    ["a message that the object does not list", "object-agrees", ({ object }) => void object.messages.pop()],
    [
      "a message that the object lists twice",
      "object-agrees",
      ({ object }) => void object.messages.push(first(object.messages)),
    ],
    ["an event that did not reach Postgres", "postgres-agrees", ({ postgres }) => void postgres.events.pop()],
    [
      "another event in Postgres",
      "postgres-agrees",
      ({ postgres }) => Object.assign(first(postgres.events), { event: { type: "title:changed", title: "x" } }),
    ],
    ["a message that did not reach Postgres", "postgres-agrees", ({ postgres }) => void postgres.messages.pop()],
    [
      "an old answer in Postgres",
      "postgres-agrees",
      ({ postgres }) => Object.assign(postgres.messages[1] ?? {}, { text: "" }),
    ],
    [
      "a turn that still runs in Postgres",
      "postgres-agrees",
      ({ postgres }) => Object.assign(first(postgres.turns), { state: "running" }),
    ],
    [
      "a receipt that nobody gave",
      "postgres-agrees",
      ({ postgres }) => void postgres.receipts.push({ id: id("d"), turnId: id("a1") }),
    ],
    ["a head that stayed behind", "postgres-agrees", ({ postgres }) => Object.assign(postgres, { headId: id("2") })],
    ["a position that stayed behind", "postgres-agrees", ({ postgres }) => Object.assign(postgres, { lastSeq: 5 })],
  ])("finds %s", (_what, rule, breakIt) => {
    expect(rulesBrokenBy(breakIt)).toContain(rule);
  });

  it("takes a message as answered by the turn that it steered", () => {
    const broken = rulesBrokenBy(({ clients, object, postgres }) => {
      const steering = question("3", 7, id("b2"));
      object.events.push({ seq: 7, at, event: { type: "message:added", message: steering } });
      const ended = object.events[5]?.event;
      if (ended?.type === "turn:completed") ended.message.metadata.steeredBy = [id("3")];
      object.messages.push(steering);
      first(clients).sent.push({ id: id("3"), text: "words of 3" });
      first(clients).acks.push({ id: id("3"), seq: 7 });
      postgres.lastSeq = 7;
    });
    expect(broken).not.toContain("one-ending");
  });
});
