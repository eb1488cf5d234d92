import { expect, it } from "vitest";
import { AppError } from "../../shared/domain/app-error.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { removeConversation } from "./lifecycle.ts";
import { onAlarm } from "./on-alarm.ts";

const LOOK_AGAIN_MS = 30_000;

/** A conversation that is being deleted when Postgres, or its answer, is lost. */
async function deleting(bench: RoomBench, rows: { left: boolean; away?: boolean }) {
  bench.say("remember me");
  const { conversations } = bench.room.services;
  bench.room.services = {
    ...bench.room.services,
    conversations: {
      ...conversations,
      erase: async () => {
        throw new AppError("database_unavailable", "away");
      },
      ownIds: async () => {
        if (rows.away) throw new AppError("database_unavailable", "away");
        return rows.left ? [bench.room.id] : [];
      },
    },
  };
  expect(await removeConversation(bench.room, bench.owner)).toMatchObject({ ok: false });
  expect(bench.room.journal.conversation).not.toBeNull();
}

async function later(bench: RoomBench): Promise<void> {
  await bench.forward(LOOK_AGAIN_MS);
  onAlarm(bench.room);
  await bench.settle();
}

it("a deletion whose answer was lost after the rows were gone takes the object with it, as soon as Postgres says so", () =>
  inRoom(async (bench) => {
    const rows = { left: false, away: true };
    await deleting(bench, rows);
    await later(bench);
    expect(bench.room.journal.conversation).not.toBeNull();
    rows.away = false;
    await later(bench);
    expect(bench.room.journal.conversation).toBeNull();
    const tables = "select name from sqlite_master where name not like '\\_cf%' escape '\\'";
    expect([...bench.room.storage.sql.exec(tables)]).toEqual([]);
  }));

it("a deletion that did not happen leaves the conversation as it was", () =>
  inRoom(async (bench) => {
    await deleting(bench, { left: true });
    await later(bench);
    expect(bench.room.journal.conversation).not.toBeNull();
    bench.say("still here");
    await later(bench);
    expect(bench.events("message:added")).toHaveLength(2);
  }));
