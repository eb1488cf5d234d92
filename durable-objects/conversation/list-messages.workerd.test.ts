import { v7 as newId } from "uuid";
import { expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import { aMessage } from "../../shared/testing/builders.ts";
import { inRoom } from "../../shared/testing/worker/room-bench.ts";
import { listMessages } from "./messages.ts";

/** What the platform carries from an object to the Worker in one answer. */
const MOST_BYTES = 32 * 1024 * 1024;

it.each([
  ["forwards", {}],
  ["backwards", { before: 1_000 }],
])(
  "a page of long messages ends before it is too large to be told, and the next ones have the rest: %s",
  (_way, from) =>
    inRoom(async ({ room: { journal } }) => {
      const text = "ü".repeat(450_000);
      for (let seq = 1; seq <= 50; seq++) {
        const message = aMessage({ id: newId(), seq, updatedSeq: seq, parentId: journal.born.headId, text });
        journal.transact(() => journal.append({ type: "message:added", message }));
      }
      const seqs: number[] = [];
      let cursor: string | null = null;
      do {
        const query = { limit: 200, branches: "active" as const, ...from, ...(cursor === null ? {} : { cursor }) };
        const page: { items: { seq: number }[]; nextCursor: string | null } = unwrap(listMessages(journal, query));
        expect(new TextEncoder().encode(JSON.stringify(page)).byteLength).toBeLessThan(MOST_BYTES / 2);
        seqs.push(...page.items.map(({ seq }) => seq));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(seqs.toSorted((one, other) => one - other)).toEqual(
        Array.from({ length: 50 }, (_each, index) => index + 1),
      );
    }),
);
