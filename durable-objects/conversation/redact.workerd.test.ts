import { expect, it } from "vitest";
import { aMessage, testId } from "../../shared/testing/builders.ts";
import { inRoom } from "../../shared/testing/worker/room-bench.ts";
import { Journal } from "./journal.ts";

/** The room's journal anew, over storage that says how many rows were read. */
function countingJournal(storage: DurableObjectStorage) {
  const count = { rows: 0 };
  const exec: SqlStorage["exec"] = (query, ...bindings) => {
    const cursor = storage.sql.exec(query, ...bindings);
    const rows = cursor.toArray();
    count.rows += cursor.rowsRead;
    return Object.assign(Object.create(cursor), { toArray: () => rows });
  };
  const counted = { sql: { exec }, transactionSync: storage.transactionSync.bind(storage) };
  const source = { now: () => new Date(0), newId: () => crypto.randomUUID() };
  return { journal: new Journal(counted as unknown as DurableObjectStorage, source), count };
}

it("the words of a deleted message go out of every event that carried them, and the rest of the log is not read", () =>
  inRoom(async ({ room }) => {
    const { journal, count } = countingJournal(room.storage);
    const ids = Array.from({ length: 301 }, () => testId());
    const say = (n: number, text: string, type: "message:added" | "message:updated" = "message:added") =>
      journal.append({ type, message: aMessage({ id: ids[n] ?? "", seq: n, text }) });
    journal.transact(() => {
      for (let n = 1; n <= 300; n++) say(n, `words of ${n}.`);
      say(290, "other words of 290.", "message:updated");
    });
    const left = () => JSON.stringify(journal.eventsAfter(0, 1_000));
    count.rows = 0;
    journal.transact(() => journal.redact(ids[300] ?? ""));
    expect(count.rows).toBeLessThan(20);
    expect(left()).not.toContain("words of 300.");
    count.rows = 0;
    journal.transact(() => journal.redact(ids[290] ?? ""));
    expect(count.rows).toBeLessThan(60);
    expect(left()).not.toContain("words of 290.");
    expect(left().match(/words of \d+\./g)).toHaveLength(298);
  }));
