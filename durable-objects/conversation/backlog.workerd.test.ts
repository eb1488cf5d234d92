import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { DrainOutcome } from "../../shared/ports/conversation-store.ts";
import { aConversation } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace } from "../../shared/testing/worker/people.ts";
import { inRoom } from "../../shared/testing/worker/room-bench.ts";
import { servicesFor } from "../services-for.ts";
import { type Bindings, conversationObject } from "../stubs.ts";
import { Backlog } from "./backlog.ts";
import { createRoom } from "./create-room.ts";
import { editMessage, sendMessage } from "./messages.ts";
import { Outbox } from "./outbox.ts";

const bindings = env as unknown as Bindings;

it("a conversation that holds too much for Postgres refuses new messages, keeps what it has, and goes on when it is back", async () => {
  const owner = await aPerson({ id: await aWorkspace(), role: "owner" });
  const { id } = await aConversation(owner, (each) => conversationObject(bindings, each));
  const stub = bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id));
  await runInDurableObject(stub, async (_instance, state) => {
    const services = { ...servicesFor(bindings) };
    const room = createRoom(state, bindings, services);
    let outcome: DrainOutcome = { ok: false, retry: true, message: "away" };
    const { journal, alarms, background } = room;
    room.outbox = new Outbox({
      journal,
      sql: state.storage.sql,
      alarms,
      background,
      timers: services.timers,
      sink: { drain: async () => outcome },
      jobs: services.jobs,
      now: () => services.now().getTime(),
      random: services.random,
      newId: services.newId,
      onStorageChange: () => {},
      limits: { events: 2, characters: 1e9 },
    });
    // Nothing answers here: what counts is what is taken.
    room.queue.kick = () => {};
    const send = (messageId: string, text: string) =>
      sendMessage(room, owner, messageId, { text, whenBusy: "queue" }, "api");
    const first = newId();
    unwrap(send(first, "one"));
    unwrap(send(newId(), "two"));
    const refused = {
      ok: false,
      error: { code: "database_unavailable", message: expect.stringContaining("Nothing is lost") },
    };
    expect(send(newId(), "three")).toMatchObject(refused);
    expect(send(first, "one")).toMatchObject({ ok: true, value: { duplicate: true, seq: 1 } });
    expect(journal.lastSeq).toBe(2);
    outcome = { ok: true };
    await room.outbox.drain();
    expect(send(newId(), "three")).toMatchObject({ ok: true, value: { seq: 3 } });
    room.turns.end(room.turns.firstFor(first)?.id ?? "", "completed");
    expect(editMessage(room, owner, newId(), { text: "x" })).toMatchObject({ ok: false, error: { code: "not_found" } });
  });
});

it("what waits is counted once, and what was brought away is taken off, without reading the rest again", () =>
  inRoom(async ({ room }) => {
    const { sql } = room.storage;
    const [rows, waiting] = [200, 150];
    for (let seq = 1; seq <= rows; seq++) sql.exec("insert into events values (?, '', ?)", seq, "x".repeat(100));
    let read = 0;
    const exec: SqlStorage["exec"] = (query, ...bindings) => {
      const cursor = sql.exec(query, ...bindings);
      const all = cursor.toArray();
      read += cursor.rowsRead;
      return Object.assign(Object.create(cursor), { toArray: () => all });
    };
    const journal = { lastSeq: rows, drainedSeq: 0 };
    const counting: Pick<SqlStorage, "exec"> = { exec };
    const of = (characters: number) =>
      new Backlog(journal, counting as SqlStorage, { events: 1_000, characters: characters });
    const backlog = of(100 * waiting);
    expect([backlog.isFull, read]).toEqual([true, rows]);
    read = 0;
    for (journal.drainedSeq = 1; journal.drainedSeq < rows - waiting; journal.drainedSeq++)
      expect(backlog.isFull).toBe(true);
    expect(backlog.isFull).toBe(false);
    // One row that goes and the one that ends the range, each time.
    expect(read).toBeLessThanOrEqual(2 * (rows - waiting));
    sql.exec("insert into events values (?, '', 'xx')", ++journal.lastSeq);
    sql.exec("insert into events values (?, '', 'xx')", ++journal.lastSeq);
    expect(backlog.isFull).toBe(true);
  }));
