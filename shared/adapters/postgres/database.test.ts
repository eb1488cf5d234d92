import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { createDatabase, type Database } from "./database.ts";
import { createEventSink } from "./event-sink.ts";

it.each([
  ["no JSON", "<html>502 Bad Gateway</html>"],
  ["null", "null"],
  ["no results", "{}"],
  ["the results of fewer queries", '{"results":[]}'],
  ["results that are none", `{"results":[${Array(12).fill("{}").join(",")}]}`],
])(
  "an endpoint that answers %s has stored nothing: the events stay, and none is taken for refused",
  async (_what, body) => {
    const server = createServer((request, response) => {
      request.resume();
      request.on("end", () => response.end(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const connectionString = `postgres://app:app@garbled-${port}.test:5432/mosaic`;
    const sink = createEventSink(createDatabase({ connectionString, endpoint: `http://127.0.0.1:${port}/sql` }));
    const message = aMessage({ seq: 1, text: "hello" });
    const outcome = await sink.drain(
      { userId: message.id },
      {
        conversationId: message.id,
        workspaceId: message.id,
        events: [{ seq: 1, at: "2026-11-21T12:00:00.000Z", event: { type: "message:added", message } }],
      },
    );
    server.close();
    expect(outcome).toMatchObject({ ok: false, retry: true });
  },
);

/** An endpoint that rolls back so many batches for a conflict with another one, and then answers. */
async function withConflicts<Value>(
  conflicts: number,
  use: (database: Database) => Promise<Value>,
): Promise<[Value, number]> {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      asked += 1;
      const isConflict = asked <= conflicts;
      response.statusCode = isConflict ? 400 : 200;
      const result = {
        command: "SELECT",
        rowCount: 1,
        rowAsArray: true,
        rows: [["1"]],
        fields: [{ name: "one", dataTypeID: 23 }],
      };
      response.end(
        JSON.stringify(
          isConflict ? { code: "40001", message: "could not serialize access" } : { results: [result, result] },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connectionString = `postgres://app:app@conflict-${port}.test:5432/mosaic`;
  try {
    return [await use(createDatabase({ connectionString, endpoint: `http://127.0.0.1:${port}/sql` })), asked];
  } finally {
    server.close();
  }
}

const askOne = (database: Database) =>
  database.scoped({ userId: "00000000-0000-7000-8000-000000000001" }, (db) => [db.execute(sql`select 1 as one`)]);

it("a batch that Postgres rolled back for a conflict is asked again, and nobody hears of it", async () => {
  const [[found], asked] = await withConflicts(2, askOne);
  expect(found.rows).toEqual([{ one: 1 }]);
  expect(asked).toBe(3);
});

it("a batch that is rolled back again and again says that the database is not there, not that something is wrong", async () => {
  const [error] = await withConflicts(99, (database) => askOne(database).catch((thrown: unknown) => thrown));
  expect(error).toMatchObject({ code: "database_unavailable" });
});
