import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Bindings } from "../../../durable-objects/stubs.ts";
import { Conversation, type ConversationExport } from "../../../shared/contract/conversation.ts";
import { type Account, anAccount, ask, ORIGIN } from "../../../tests/isolation/real-house.ts";

const EVENTS = 42;
/** As many of the messages are long as well: more than one piece of the file. */
const LONG_MESSAGES = 3;
const WORDS = "word ".repeat(200_000);

const { CONVERSATION } = env as unknown as Bindings;
const worker = (exports as unknown as { default: Fetcher }).default;

async function get(who: Account, path: string): Promise<string> {
  const answer = await worker.fetch(new Request(`${ORIGIN}${path}`, { headers: who.bearer }));
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** A conversation whose log is larger than what one value between an object and the Worker may be. */
async function aLongTalk(who: Account): Promise<string> {
  const made = await ask("/api/conversations", { method: "POST", headers: who.bearer, body: { title: "Long" } });
  const { id } = Conversation.parse(made.json);
  const stub = CONVERSATION.get(CONVERSATION.idFromName(id));
  await runInDurableObject(stub, (_instance, { storage: { sql } }) => {
    let parentId: string | null = null;
    for (let seq = 1; seq <= EVENTS; seq++) {
      const createdAt = "2026-01-01T00:00:00.000Z";
      const messageId = `0192b3c4-0000-7000-8000-${String(seq).padStart(12, "0")}`;
      const parts = [{ type: "text", text: `${seq} ${WORDS}` }];
      const message = { id: messageId, seq, updatedSeq: seq, parentId, role: "user", parts, metadata: {}, createdAt };
      const body = JSON.stringify({ type: "message:added", message });
      sql.exec("insert into events (seq, at, body) values (?, ?, ?)", seq, createdAt, body);
      sql.exec(
        "insert into messages values (?, ?, ?, ?, 'user', ?, '{}', ?, 0)",
        ...[messageId, seq, seq, parentId, seq > LONG_MESSAGES ? "[]" : JSON.stringify(parts), createdAt],
      );
      parentId = messageId;
    }
    sql.exec("update meta set value = ? where key = 'drainedSeq'", String(EVENTS));
    sql.exec("update meta set value = json_set(value, '$.headId', ?) where key = 'conversation'", parentId);
  });
  await evictDurableObject(stub);
  return id;
}

it("a conversation of any size is exported in whole, as JSON, as Markdown and with the account", async () => {
  const ann = await anAccount("ann");
  const id = await aLongTalk(ann);
  const text = await get(ann, `/api/conversations/${id}/export`);
  expect(text.length).toBeGreaterThan(40_000_000);
  const exported: ConversationExport = JSON.parse(text);
  expect(exported.conversation.id).toBe(id);
  expect(exported.events.map(({ seq }) => seq)).toEqual(Array.from({ length: EVENTS }, (_each, index) => index + 1));
  expect(exported.messages.map(({ seq }) => seq)).toEqual(exported.events.map(({ seq }) => seq));
  expect(exported.messages[LONG_MESSAGES - 1]?.parts).toEqual([{ type: "text", text: `${LONG_MESSAGES} ${WORDS}` }]);
  const markdown = await get(ann, `/api/conversations/${id}/export?format=markdown`);
  expect(markdown.startsWith("# Long\n\n## You\n\n*2026-01-01T00:00:00.000Z*\n\n1 word ")).toBe(true);
  expect(markdown.match(/^## You$/gm)).toHaveLength(EVENTS);
  const account = await get(ann, "/api/me/export");
  // The same file, made a moment later.
  expect(account.endsWith(`${text.slice(text.indexOf('"conversation":'))}]}`)).toBe(true);
}, 60_000);
