import { v7 } from "uuid";
import { describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { createAccountStore } from "../shared/adapters/postgres/account-store.ts";
import { checkDatabase } from "../shared/adapters/postgres/check-database.ts";
import { createConversationStore } from "../shared/adapters/postgres/conversation-store.ts";
import { connect, createDatabase } from "../shared/adapters/postgres/database.ts";
import { createIdempotencyStore } from "../shared/adapters/postgres/idempotency-store.ts";
import { memoryEdge, problemIn } from "./testing/memory-edge.ts";
import { PEOPLE, signInAs } from "./testing/memory-services.ts";

/** The edge over the real Postgres stores; alice and bob have accounts there and their real workspaces. */
async function realEdge() {
  const endpoint = inject("databaseEndpoint");
  const app = createDatabase({ connectionString: inject("databaseAppUrl"), endpoint });
  const authAddress = { connectionString: inject("databaseAuthUrl"), endpoint };
  const accounts = createAccountStore({ app, auth: createDatabase(authAddress) });
  const query = connect(authAddress);
  const workspaces = new Map<string, Awaited<ReturnType<typeof accounts.workspaces>>>();
  for (const [name, { id }] of Object.entries(PEOPLE)) {
    await query.query('insert into auth."user" (id, name, email) values ($1, $2, $3) on conflict do nothing', [
      id,
      name,
      `${name}@mosaic.test`,
    ]);
    workspaces.set(id, await accounts.workspaces({ id, name }));
  }
  const edge = memoryEdge({
    accounts,
    now: () => new Date(),
    newId: () => v7(),
    conversations: createConversationStore(app),
    idempotency: createIdempotencyStore(app),
    checkDatabase: () => checkDatabase(app),
    signIn: signInAs((person) => workspaces.get(person.id) ?? []),
  });
  const workspaceOf = (name: keyof typeof PEOPLE) => workspaces.get(PEOPLE[name].id)?.[0]?.id ?? "";
  return { ...edge, workspaceOf };
}

const Page = z.object({
  items: z.array(z.looseObject({ id: z.string(), title: z.string() })),
  nextCursor: z.string().nullable(),
});

describe("over the real stores", () => {
  test("the database is ready", async () => {
    const { ask } = await realEdge();
    expect(await (await ask("/health/ready", { as: null })).json()).toMatchObject({ status: "ready" });
  });

  test("a conversation is listed once it is made, in pages, for its owner alone", async () => {
    const { ask } = await realEdge();
    const titles = ["Привет 👩‍👩‍👧", "b\\u0000\\ud800", "c"];
    for (const title of titles)
      expect((await ask("/api/conversations", { method: "POST", body: `{"title":"${title}"}` })).status).toBe(201);
    const first = Page.parse(await (await ask("/api/conversations?limit=2")).json());
    const rest = Page.parse(
      await (await ask(`/api/conversations?limit=2&cursor=${encodeURIComponent(first.nextCursor ?? "")}`)).json(),
    );
    expect([...first.items, ...rest.items].map(({ title }) => title)).toEqual(["c", "b\ufffd", "Привет 👩‍👩‍👧"]);
    expect(Page.parse(await (await ask("/api/conversations", { as: "bob" })).json()).items).toEqual([]);
  });

  test.each([
    "nonsense",
    "%00",
    "%F0%9F%8E%88",
    "e30",
    btoa('{"updatedAt":"x","id":"y"}'),
    btoa('["2020-01-01T00:00:00Z","x"]'),
    "x".repeat(500),
  ])("a cursor of %s is a 400, not a failure of the database", async (cursor) => {
    const { ask } = await realEdge();
    expect((await problemIn(await ask(`/api/conversations?cursor=${cursor}`))).status).toBe(400);
  });

  test("a key makes one conversation, however often it is sent", async () => {
    const { ask } = await realEdge();
    const post = (title: string) =>
      ask("/api/conversations", {
        method: "POST",
        body: { title },
        headers: { "idempotency-key": "the-same" },
        as: "bob",
      });
    const [first, again] = [await (await post("A")).json(), await (await post("A")).json()];
    expect(again).toEqual(first);
    expect(await problemIn(await post("B"))).toMatchObject({ status: 409, code: "idempotency_conflict" });
  });

  test("settings hold any JSON, keep their versions, and are a member's only", async () => {
    const { ask, workspaceOf } = await realEdge();
    const path = `/api/workspaces/${workspaceOf("alice")}/settings`;
    const body = '{"settings":{"k\\u0000ey":{"deep":["\\ud800","🎈",1e3,null]}}}';
    const changed = await ask(path, { method: "PATCH", body });
    expect([changed.status, await changed.json()]).toMatchObject([
      200,
      { settings: { key: { deep: ["\ufffd", "🎈", 1000, null] } } },
    ]);
    const stale = await ask(path, { method: "PATCH", body: { settings: {} }, headers: { "if-match": '"999"' } });
    expect(await problemIn(stale)).toMatchObject({ status: 409, code: "version_conflict" });
    expect((await ask(path, { as: "bob" })).status).toBe(404);
    expect((await ask(path, { as: "bob", method: "PATCH", body: { defaultModel: "x" } })).status).toBe(404);
  });

  test("a workspace gets any name that a person would give it", async () => {
    const { ask } = await realEdge();
    for (const name of ["Team", "团队 🎈", "a/b\\\\c", "-".repeat(100), "Team"]) {
      expect([name, (await ask("/api/workspaces", { method: "POST", body: { name } })).status]).toEqual([name, 201]);
    }
  });
});
