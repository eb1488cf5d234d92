import { expect, test } from "vitest";
import { CONNECTOR_DOORS, CONNECTOR_HEADERS, type ConnectorObject } from "../../ports/connector-gateway.ts";
import { createConnectorGateway } from "./connector-gateway.ts";

const target = { connectorId: "c", ownerUserId: "u", upstream: "ollama" };

async function sentFor(request: Request): Promise<Request> {
  let seen: Request | null = null;
  const object: ConnectorObject = {
    fetch: async (asked) => {
      seen = asked;
      return new Response();
    },
    cancel: async () => {},
    forget: async () => {},
  };
  await createConnectorGateway({ connector: () => object }).fetch(target, request);
  if (!seen) throw new Error("nothing was asked");
  return seen;
}

test("an object is told nothing of a request's headers but what a model server needs", async () => {
  const forged = encodeURIComponent(JSON.stringify({ ...target, ownerUserId: "somebody else" }));
  const sent = await sentFor(
    new Request("http://connector.invalid/api/chat?x=1", {
      method: "POST",
      body: "{}",
      headers: {
        accept: "application/json",
        authorization: "Bearer of-the-instance",
        "content-type": "application/json",
        [CONNECTOR_HEADERS.dialIn]: forged,
        [CONNECTOR_HEADERS.target]: forged,
        [CONNECTOR_HEADERS.request]: "forged",
        "sec-websocket-protocol": "mosaic.connector.v1",
        upgrade: "websocket",
        cookie: "a=b",
        "x-own": "1",
      },
    }),
  );
  expect([...sent.headers.keys()].toSorted()).toEqual([
    "accept",
    "authorization",
    "content-type",
    CONNECTOR_HEADERS.request,
    CONNECTOR_HEADERS.target,
  ]);
  expect(JSON.parse(decodeURIComponent(sent.headers.get(CONNECTOR_HEADERS.target) ?? ""))).toEqual(target);
  expect(sent.headers.get(CONNECTOR_HEADERS.request)).not.toBe("forged");
  expect([sent.method, await sent.text()]).toEqual(["POST", "{}"]);
});

test("whatever address is asked, the object is reached by the door for requests, never by the one for machines", async () => {
  const origin = CONNECTOR_DOORS.ask;
  for (const [address, path] of [
    ["http://connector.invalid/api/tags?x=1", "/api/tags?x=1"],
    [`${CONNECTOR_DOORS.dialIn}/api/tags`, "/api/tags"],
    [`http://x.test//${new URL(CONNECTOR_DOORS.dialIn).host}/`, `//${new URL(CONNECTOR_DOORS.dialIn).host}/`],
  ] as const) {
    expect((await sentFor(new Request(address))).url).toBe(`${origin}${path}`);
  }
});
