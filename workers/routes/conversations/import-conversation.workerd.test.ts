import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { Conversation, ConversationExport } from "../../../shared/contract/conversation.ts";
import { BUILT_IN_IDS } from "../../../shared/domain/providers/provider-record.ts";
import { modelBehaves } from "../../../shared/testing/worker/conversations.ts";
import { ownerSql } from "../../../shared/testing/worker/people.ts";
import { type Account, anAccount, ask } from "../../../tests/isolation/real-house.ts";

let ann: Account;
let bob: Account;
beforeAll(async () => {
  [ann, bob] = [await anAccount("ann"), await anAccount("bob")];
}, 60_000);

const call = (who: Account, path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}) =>
  ask(path, { method, headers: { ...who.bearer, ...headers }, ...(body === undefined ? {} : { body }) });
const exportOf = async (who: Account, id: string) =>
  ConversationExport.parse((await call(who, `/api/conversations/${id}/export`)).json);

/** Settled: every turn has ended. */
async function answered(who: Account, id: string, endings: number): Promise<void> {
  const done = async () =>
    (await exportOf(who, id)).events.filter(({ event }) => /^turn:(completed|failed|interrupted)$/.test(event.type))
      .length;
  await vi.waitFor(async () => expect(await done()).toBe(endings), { timeout: 15_000, interval: 100 });
}

/** Two branches, a deleted message, a title. */
async function aTalk(): Promise<string> {
  const { id } = Conversation.parse((await call(ann, "/api/conversations", "POST", {})).json);
  const send = async (text: string) =>
    z
      .object({ messageId: z.string() })
      .parse((await call(ann, `/api/conversations/${id}/messages`, "POST", { text })).json).messageId;
  await modelBehaves({ thinking: "hm", reply: "One." }, { reply: "Two." }, { reply: "Three." });
  const first = await send("first question");
  await answered(ann, id, 1);
  const second = await send("second question");
  await answered(ann, id, 2);
  await call(ann, `/api/conversations/${id}/messages/${first}`, "PATCH", { text: "first question, better" });
  await answered(ann, id, 3);
  await call(ann, `/api/conversations/${id}/messages/${second}`, "DELETE");
  await call(ann, `/api/conversations/${id}`, "PATCH", { title: "A named talk" });
  return id;
}

/** The same export with ids by first appearance and without times and owner. */
function normal(exported: z.infer<typeof ConversationExport>): unknown {
  const ids = new Map<string, string>();
  const { conversation, messages, events } = exported;
  const { version: _v, createdAt: _c, updatedAt: _u, workspaceId: _w, ownerUserId: _o, id: _i, ...kept } = conversation;
  return JSON.parse(
    JSON.stringify({ events, messages, conversation: kept }, (key, value: unknown) => {
      if (key === "createdAt" || key === "at" || key === "authorUserId") return undefined;
      return value;
    }).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      ids.set(id, ids.get(id) ?? `id ${ids.size}`);
      return ids.get(id) ?? "";
    }),
  );
}

describe("an import", () => {
  it("makes an equal conversation of the importer's own, under new ids, in the object and in Postgres", async () => {
    const exported = await exportOf(ann, await aTalk());
    const answer = await call(bob, "/api/conversations/import", "POST", exported);
    expect(answer.status).toBe(201);
    const made = Conversation.parse(answer.json);
    expect(made).toMatchObject({ ownerUserId: bob.id, workspaceId: bob.personalWorkspaceId, title: "A named talk" });
    const again = await exportOf(bob, made.id);
    expect(normal(again)).toEqual(normal(exported));
    const old = new Set(JSON.stringify(exported).match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
    const kept = JSON.stringify(again)
      .match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)
      // Which of the operator's providers answered is the same for everybody.
      ?.filter((id) => old.has(id) && !Object.values<string>(BUILT_IN_IDS).includes(id));
    expect(kept).toEqual([]);
    expect((await call(ann, `/api/conversations/${made.id}`)).status).toBe(404);
    const sql = ownerSql();
    await vi.waitFor(async () => {
      const [row] = await sql`select last_seq::int as n, head_id, title from conversations where id = ${made.id}`;
      expect(row).toEqual({ n: exported.events.length, head_id: again.conversation.headId, title: "A named talk" });
    });
    const [rows] =
      await sql`select count(*)::int as n from messages where conversation_id = ${made.id} and not deleted`;
    expect(rows?.n).toBe(exported.messages.length);
    const markdown = await call(bob, `/api/conversations/${made.id}/export?format=markdown`);
    expect(markdown.text).toContain("first question, better");
    const account = await call(bob, "/api/me/export");
    expect(account.text).toContain(made.id);
  });

  it("goes on where it ends, and answers nothing by itself", async () => {
    const exported = await exportOf(ann, await aTalk());
    const made = Conversation.parse((await call(bob, "/api/conversations/import", "POST", exported)).json);
    await modelBehaves({ reply: "Going on." });
    const sent = await call(bob, `/api/conversations/${made.id}/messages`, "POST", { text: "and now?" });
    expect(sent.json).toMatchObject({ seq: exported.events.length + 1 });
    await answered(bob, made.id, 4);
    const { messages } = await exportOf(bob, made.id);
    expect(messages.at(-1)?.parts).toEqual([{ type: "text", text: "Going on." }]);
  });

  it("is made once for one key", async () => {
    const exported = await exportOf(ann, await aTalk());
    const key = { "idempotency-key": newId() };
    const [first, second] = [
      await call(bob, "/api/conversations/import", "POST", exported, key),
      await call(bob, "/api/conversations/import", "POST", exported, key),
    ];
    expect([first.status, second.status, Conversation.parse(second.json).id]).toEqual([
      201,
      201,
      Conversation.parse(first.json).id,
    ]);
    const other = { ...exported, conversation: { ...exported.conversation, title: "Other" } };
    expect((await call(bob, "/api/conversations/import", "POST", other, key)).status).toBe(409);
  });

  it("takes more than an ordinary body and says where its bound is", async () => {
    const exported = await exportOf(ann, await aTalk());
    const messages = Array.from({ length: 300 }, () => "x".repeat(10_000));
    expect((await call(bob, "/api/conversations/import", "POST", { ...exported, messages })).status).toBe(201);
    const huge = { ...exported, messages: Array.from({ length: 17 }, () => "x".repeat(1024 * 1024)) };
    const refused = await call(bob, "/api/conversations/import", "POST", huge);
    expect([refused.status, refused.json]).toMatchObject([
      413,
      { code: "too_large", detail: "A request body here is at most 16 MiB; send less." },
    ]);
  });

  it.each([
    ["another format", { format: "chat.v7" }],
    ["a gap", { events: [{ seq: 2, at: "2026-01-01T00:00:00.000Z", event: { type: "title:changed", title: "x" } }] }],
    ["an unknown event", { events: [{ seq: 1, at: "2026-01-01T00:00:00.000Z", event: { type: "root:granted" } }] }],
    ["an unknown field", { admin: true }],
    ["no log", { events: null }],
  ])("of %s is refused in one sentence", async (_what, wrong) => {
    const { id } = Conversation.parse((await call(ann, "/api/conversations", "POST", {})).json);
    const exported = await exportOf(ann, id);
    const answer = await call(bob, "/api/conversations/import", "POST", { ...exported, ...wrong });
    expect(answer.status).toBe(400);
    expect(z.object({ detail: z.string().min(10) }).safeParse(answer.json).success).toBe(true);
  });
});
