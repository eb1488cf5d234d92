import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { Job, JobDetail } from "../../shared/contract/job.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import { type Account, anAccount, ask } from "./real-house.ts";

const Listed = z.object({ items: z.array(Job), nextCursor: z.string().nullable() });
let admin: Account;
let owner: Account;
const secret = `secret ${newId()}`;

beforeAll(async () => {
  [admin, owner] = [await anAccount("root"), await anAccount("owner")];
  await ownerSql()`insert into auth.instance_admin (user_id) values (${admin.id})
    on conflict (singleton) do update set user_id = excluded.user_id`;
}, 60_000);

const call = (who: Account, path: string, method = "GET", body?: object) =>
  ask(path, { method, headers: who.bearer, ...(body ? { body } : {}) });

/** A conversation whose first event Postgres refuses, because its place is taken. */
async function poisoned(): Promise<{ conversationId: string; job: z.infer<typeof JobDetail> }> {
  const created = await call(owner, "/api/conversations", "POST", {});
  const { id } = z.object({ id: z.string() }).parse(created.json);
  const taken = JSON.stringify({ type: "title:changed", title: "taken" });
  await ownerSql()`insert into conversation_events (conversation_id, workspace_id, owner_user_id, visibility, seq, at, event)
    select id, workspace_id, owner_user_id, visibility, 1, now(), ${taken}::jsonb from conversations where id = ${id}`;
  await call(owner, `/api/conversations/${id}/messages`, "POST", { text: secret });
  const found = async () => {
    const listed = Listed.parse((await call(admin, "/api/admin/jobs?type=outbox-event&limit=200")).json);
    const details = await Promise.all(listed.items.map((job) => call(admin, `/api/admin/jobs/${job.id}`)));
    return details.map(({ json }) => JobDetail.parse(json)).find(({ subject }) => subject.conversationId === id);
  };
  await vi.waitFor(async () => expect(await found()).toBeDefined(), { timeout: 15_000, interval: 200 });
  return { conversationId: id, job: JobDetail.parse(await found()) };
}

const texts = async (id: string) =>
  (await ownerSql()`select text from messages where conversation_id = ${id} and role = 'user'`).map(({ text }) => text);

describe("an event that Postgres refuses", () => {
  it("is shown to the admin without content, and reaches Postgres on the admin's word once the cause is gone", async () => {
    const { conversationId, job } = await poisoned();
    expect(job).toMatchObject({ type: "outbox-event", status: "failed", attempts: 1, maxAttempts: 1, traceId: null });
    expect(job.subject).toEqual({ conversationId, seq: 1, event: "message:added" });
    expect(JSON.stringify(job)).not.toContain(secret);
    const again = await call(admin, `/api/admin/jobs/${job.id}/retry`, "POST");
    expect([again.status, Job.parse(again.json).status, Job.parse(again.json).attempts]).toEqual([200, "failed", 2]);
    await ownerSql()`delete from conversation_events where conversation_id = ${conversationId} and seq = 1`;
    const cured = Job.parse((await call(admin, `/api/admin/jobs/${job.id}/retry`, "POST")).json);
    expect(cured).toMatchObject({ id: job.id, status: "completed", attempts: 3, error: null });
    expect(await texts(conversationId)).toEqual([secret]);
    expect((await call(admin, `/api/admin/jobs/${job.id}/retry`, "POST")).status).toBe(409);
  });

  it("does not stop what comes after it, and can be given up", async () => {
    const { conversationId, job } = await poisoned();
    const later = async () =>
      await ownerSql()`select seq from conversation_events where conversation_id = ${conversationId} and seq > 3`;
    await vi.waitFor(async () => expect(await later()).not.toEqual([]), { timeout: 10_000 });
    const cancelled = await call(admin, `/api/admin/jobs/${job.id}/cancel`, "POST");
    expect(Job.parse(cancelled.json).status).toBe("cancelled");
    const { json } = await call(owner, `/api/conversations/${conversationId}/messages`);
    expect(JSON.stringify(json)).toContain(secret);
  });

  it("goes with its conversation, and is nobody else's to see or settle", async () => {
    const { conversationId, job } = await poisoned();
    for (const [method, path] of [
      ["GET", "/api/admin/jobs"],
      ["GET", `/api/admin/jobs/${job.id}`],
      ["POST", `/api/admin/jobs/${job.id}/retry`],
      ["POST", `/api/admin/jobs/${job.id}/cancel`],
    ] as const)
      expect((await call(owner, path, method)).status).toBe(403);
    expect((await call(owner, `/api/conversations/${conversationId}`, "DELETE")).status).toBe(204);
    expect((await call(admin, `/api/admin/jobs/${job.id}`)).status).toBe(404);
    expect((await call(admin, `/api/admin/jobs/${newId()}/retry`, "POST")).status).toBe(404);
    expect((await call(admin, "/api/admin/jobs?status=wrong")).status).toBe(400);
  });
});
