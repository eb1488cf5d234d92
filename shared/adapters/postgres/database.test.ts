import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { aMessage } from "../../testing/builders.ts";
import { createDatabase } from "./database.ts";
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
