import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../../../../shared/client/api-error.ts";
import { parseOutbox } from "../../../../shared/client/outbox.ts";
import { whyUnsendable } from "../../../../shared/client/sendable.ts";
import { MAX_TEXT_LENGTH, textOf } from "../../../../shared/contract/message.ts";
import { keepFirstMessage } from "./first-message.ts";
import { conversationsWithOutbox, pageOutbox, pageStorage } from "./page-outbox.ts";
import { refuseUnsendable } from "./sendable.ts";

const CONVERSATION = "0190d3a0-0000-7000-8000-000000000001";
const MESSAGE = "0190d3a0-0000-7000-8000-000000000002";
const ADA = "0190d3a0-0000-7000-8000-00000000000a";
const EVE = "0190d3a0-0000-7000-8000-00000000000e";

function memoryStorage(): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    clear: () => items.clear(),
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
afterEach(() => vi.unstubAllGlobals());

test("says in numbers why a message is too long, and lets the longest one through", () => {
  expect(whyUnsendable("x".repeat(600_000))).toBe(
    "This message is too long: 600,000 of at most 524,288 characters. Send it as several.",
  );
  expect(whyUnsendable("x".repeat(MAX_TEXT_LENGTH))).toBeNull();
  expect(whyUnsendable("字".repeat(500_000))).toMatch(
    /^This message is too long: 1,500,\d{3} of at most 1,048,576 bytes/,
  );
  expect(whyUnsendable(" \0 ")).toBe("There is nothing to send.");
});

test("a command that is too long is refused as one", () => {
  expect(() => refuseUnsendable(`/rename ${"x".repeat(5000)}`)).toThrow("5,008 of at most 4,000 characters");
});

test("a first message that could not be sent is never kept", async () => {
  const storage = memoryStorage();
  vi.stubGlobal("localStorage", storage);
  await expect(keepFirstMessage(ADA, CONVERSATION, "x".repeat(600_000))).rejects.toThrow(ApiError);
  expect(storage.length).toBe(0);
  await keepFirstMessage(ADA, CONVERSATION, "hello");
  expect(storage.length).toBe(1);
});

function fullStorage(): Storage {
  const storage = memoryStorage();
  storage.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  return storage;
}

test.each([
  ["forbids its storage", undefined],
  ["has no room left", fullStorage()],
])("a browser that %s still hands the first message over, and says that it keeps nothing", async (_, storage) => {
  vi.stubGlobal("localStorage", storage);
  const conversationId = crypto.randomUUID();
  await keepFirstMessage(ADA, conversationId, "hello");
  const outbox = pageOutbox(pageStorage, ADA, conversationId);
  const [entry] = parseOutbox(await outbox.load());
  expect(entry?.text).toBe("hello");
  await expect(outbox.save(MESSAGE, "{}")).rejects.toThrow();
  expect(conversationsWithOutbox(pageStorage, ADA)).toEqual([]);
});

test("who signs in next on this browser sends nothing that somebody else wrote", async () => {
  const storage = memoryStorage();
  const record = JSON.stringify({ id: MESSAGE, text: "ada's", whenBusy: "queue", queuedAt: new Date(0).toISOString() });
  await pageOutbox(() => storage, ADA, CONVERSATION).save(MESSAGE, record);
  expect(await pageOutbox(() => storage, EVE, CONVERSATION).load()).toEqual([]);
  expect(conversationsWithOutbox(() => storage, EVE)).toEqual([]);
  expect(conversationsWithOutbox(() => storage, ADA)).toEqual([CONVERSATION]);
  expect(await pageOutbox(() => storage, ADA, CONVERSATION).load()).toHaveLength(1);
});

test("what is kept and can never be sent is shown as failed with its words, until it is discarded", async () => {
  const storage = memoryStorage();
  const outbox = pageOutbox(() => storage, ADA, CONVERSATION);
  const long = { id: MESSAGE, text: "x".repeat(600_000), queuedAt: new Date(0).toISOString() };
  await outbox.save(MESSAGE, JSON.stringify(long));
  const [entry] = parseOutbox(await outbox.load());
  expect(entry?.refused?.message).toContain("600,000 of at most 524,288");
  expect(textOf(entry?.parts ?? []).replace("\n\n", "")).toBe(long.text);
  await outbox.save(MESSAGE, "{not json");
  const [broken] = parseOutbox(await outbox.load());
  expect(broken).toMatchObject({ id: MESSAGE, text: "", refused: { message: expect.stringContaining("Discard it") } });
  await outbox.remove(MESSAGE);
  expect(await outbox.load()).toEqual([]);
});

test("what can be sent is left as it was kept", async () => {
  const storage = memoryStorage();
  const outbox = pageOutbox(() => storage, ADA, CONVERSATION);
  const record = JSON.stringify({ id: MESSAGE, text: "hello", whenBusy: "queue", queuedAt: new Date(0).toISOString() });
  await outbox.save(MESSAGE, record);
  expect(await outbox.load()).toEqual([record]);
});
