import { expect, it } from "vitest";
import { unroutedReceipt } from "../../shared/domain/routing/choose-model.ts";
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

it("what tools were asked and answered for a deleted answer goes out of the log, that of its neighbours stays", () =>
  inRoom(async ({ room: { journal, turns } }) => {
    const question = aMessage();
    const answers = [1, 2].map((n) => ({ n, turnId: testId(), messageId: testId() }));
    journal.transact(() => {
      journal.append({ type: "message:added", message: question });
      for (const { n, turnId, messageId } of answers) {
        turns.add(
          { id: turnId, messageId, replyTo: question.id, model: null, askedBy: null },
          "started",
          journal.lastSeq,
        );
        const facts = { receiptId: testId(), pinned: null, inputTokens: 0, configuration: "snapshot" } as const;
        const receipt = unroutedReceipt({ ...facts, parts: [] }, "some", "because");
        journal.append({ type: "turn:started", turnId, messageId, replyTo: question.id, receipt });
        const call = { callId: `call-${n}`, name: "look", input: { secret: `asked ${n}` }, step: 0 };
        journal.append({ type: "tool:requested", turnId, call, needsApproval: false });
        const outcome = { isError: false, output: `told ${n}` };
        journal.append({ type: "tool:completed", turnId, callId: `call-${n}`, outcome });
        const message = aMessage({ id: messageId, seq: journal.lastSeq - 2, role: "assistant", text: `said ${n}` });
        if (n === 1) {
          journal.append({ type: "turn:interrupted", turnId, message, why: "stopped", willContinue: false });
          turns.end(turnId, "interrupted");
        } else turns.markRunning(turnId, receipt, 0);
      }
    });
    const left = () => JSON.stringify(journal.eventsAfter(0, 100)).match(/(asked|told|said) \d/g);
    journal.transact(() => journal.redact(answers[0]?.messageId ?? ""));
    expect(left()).toEqual(["asked 2", "told 2"]);
    journal.transact(() => journal.redact(answers[1]?.messageId ?? ""));
    expect(left()).toBeNull();
  }));
