import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeAll, describe, expect, it } from "vitest";
import type { Conversation } from "../../shared/contract/conversation.ts";
import type { LoggedEvent } from "../../shared/contract/events.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, unwrap } from "../../shared/domain/app-error.ts";
import type { ConversationStore } from "../../shared/ports/conversation-store.ts";
import { aMessage } from "../../shared/testing/builders.ts";
import { aConversationRow } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace } from "../../shared/testing/worker/people.ts";
import { servicesFor } from "../services-for.ts";
import type { Bindings } from "../stubs.ts";
import { createRoom } from "./create-room.ts";
import { rebuild } from "./rebuild.ts";

const bindings = env as unknown as Bindings;
const AT = "2026-11-21T12:00:00.000Z";
let owner: Principal;
beforeAll(async () => {
  owner = await aPerson({ id: await aWorkspace(), role: "owner" });
});

const added = (seq: number, parentId: string | null = null): LoggedEvent => {
  const message = aMessage({ id: newId(), seq, updatedSeq: seq, parentId, role: "assistant", text: `message ${seq}` });
  return { seq, at: AT, event: { type: "message:added", message } };
};

const gone = () => new AppError("database_unavailable", "away");

/** A room whose Postgres holds this log, in an object that was never born; `before` runs ahead of each page. */
async function within(
  log: LoggedEvent[],
  lastSeq: number,
  test: (house: {
    room: ReturnType<typeof createRoom>;
    again: () => ReturnType<typeof createRoom>;
    pages: number[];
    row: Conversation;
  }) => Promise<void>,
  before: (page: number, hide: () => void) => void | Promise<void> = () => {},
): Promise<void> {
  const row = await aConversationRow(owner);
  let isVisible = true;
  const hide = (): void => {
    isVisible = false;
  };
  const stub = bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(row.id));
  const pages: number[] = [];
  const conversations: Pick<ConversationStore, "find" | "events"> = {
    find: async () => (isVisible ? { conversation: row, lastSeq } : null),
    events: async (_scope, _id, after, limit) => {
      await before(pages.length, hide);
      const page = !isVisible ? [] : log.filter(({ seq }) => seq > after).slice(0, limit);
      pages.push(page.length);
      return page;
    },
  };
  await runInDurableObject(stub, async (_instance, state) => {
    const real = servicesFor(bindings);
    const services = {
      ...real,
      conversations: { ...real.conversations, ...conversations },
      events: { drain: async () => ({ ok: true as const }) },
    };
    const make = () => createRoom(state, bindings, services);
    await test({ room: make(), again: make, pages, row });
    await state.storage.deleteAlarm();
    await state.storage.deleteAll();
  });
}

describe("an object that lost its storage", () => {
  it("takes its log page by page, and whole", () =>
    within(
      Array.from({ length: 1_234 }, (_each, index) => added(index + 1)),
      1_234,
      async ({ room, pages }) => {
        unwrap(await rebuild(room, owner));
        expect(pages).toEqual([500, 500, 234]);
        expect([room.journal.lastSeq, room.journal.drainedSeq, room.journal.counts().messages]).toEqual([
          1_234, 1_234, 1_234,
        ]);
      },
    ));

  it("is not born half when Postgres goes away in the middle, nor when it ends there itself; it begins anew", async () => {
    let away = true;
    const log = Array.from({ length: 700 }, (_each, index) => added(index + 1));
    await within(
      log,
      700,
      async ({ room, again }) => {
        expect(await rebuild(room, owner)).toMatchObject({ ok: false, error: { code: "database_unavailable" } });
        expect(room.journal.conversation).toBeNull();
        const woken = again();
        expect([woken.journal.conversation, woken.journal.lastSeq]).toEqual([null, 0]);
        away = false;
        unwrap(await rebuild(woken, owner));
        expect([woken.journal.lastSeq, woken.journal.counts().messages]).toEqual([700, 700]);
        const logId = woken.journal.meta("logId");
        expect([logId === null, again().journal.meta("logId") === logId]).toEqual([false, true]);
        expect(again().journal.lastSeq).toBe(700);
      },
      (page) => {
        if (away && page === 1) throw gone();
      },
    );
  });

  it("is not taken for full of holes when who asked loses sight of it in the middle", () =>
    within(
      Array.from({ length: 700 }, (_each, index) => added(index + 1)),
      700,
      async ({ room, again }) => {
        expect(await rebuild(room, owner)).toMatchObject({ ok: false, error: { code: "not_found" } });
        expect([room.journal.conversation, again().journal.conversation]).toEqual([null, null]);
      },
      (page, hide) => {
        if (page === 1) hide();
      },
    ));

  it("is rebuilt once for many who ask at the same time", () =>
    within([added(1), added(2)], 2, async ({ room, pages }) => {
      const answers = await Promise.all([1, 2, 3].map(() => rebuild(room, owner)));
      expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
      expect(pages).toEqual([2]);
    }));

  it("has no gaps where Postgres refused an event, also at the end, and goes on behind it", () => {
    const log = [added(1), added(3), added(4)];
    return within(log, 6, async ({ room }) => {
      unwrap(await rebuild(room, owner));
      const events = room.journal.eventsAfter(0, 10);
      expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
      const [first, , , last] = [1, 3, 3, 4].map((seq) => log.find((each) => each.seq === seq));
      const idOf = (logged: LoggedEvent | undefined) =>
        logged && "message" in logged.event ? logged.event.message.id : null;
      expect(events[1]?.event).toEqual({ type: "head:moved", messageId: idOf(first) });
      expect(room.journal.born.headId).toBe(idOf(last));
      const [next] = room.journal.transact(() => room.journal.append({ type: "title:changed", title: "on" }));
      expect(next?.seq).toBe(7);
    });
  });
});
