/** The door that machines knock at, with real stores and real objects: what wakes an object, and what does not. */
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { servicesFor } from "../../../durable-objects/services-for.ts";
import { type Bindings, connectorObject } from "../../../durable-objects/stubs.ts";
import { connectorCredential, ENROL_HEADER, hashOfSecret } from "../../../shared/contract/connector-credentials.ts";
import { CONNECTOR_PROTOCOL } from "../../../shared/contract/connector-frames.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import type { Services } from "../../../shared/runtime/services.ts";
import { aPerson } from "../../../shared/testing/worker/people.ts";
import { HELLO } from "../../../shared/testing/worker/test-machine.ts";
import { createApp } from "../../app.ts";

const bindings = env as unknown as Bindings;
const services = servicesFor(bindings);
const SECRET = "s".repeat(43);
const Welcome = z.object({ type: z.literal("welcome"), connectorId: z.string(), stamp: z.string() });

/** Which objects were asked for. */
let woken: string[] = [];
beforeEach(() => {
  woken = [];
});

const edgeWith = (change: Partial<Services> = {}) =>
  createApp({
    services: () => ({ ...services, ...change }),
    conversation: () => {
      throw new Error("no conversation is asked for here");
    },
    connector: (_env: object, id) => {
      woken.push(id);
      return connectorObject(bindings, id);
    },
  });

async function dial(bearer: string, { edge = edgeWith(), headers = {} as Record<string, string> } = {}) {
  return await edge.fetch(
    new Request("https://mosaic.test/api/connectors/socket", {
      headers: {
        upgrade: "websocket",
        "sec-websocket-protocol": CONNECTOR_PROTOCOL,
        authorization: `Bearer ${bearer}`,
        ...headers,
      },
    }),
    {},
  );
}

/** Greets, and answers what the machine was told to keep. */
async function greet(response: Response): Promise<z.infer<typeof Welcome>> {
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status}`);
  const said = new Promise<unknown>((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))), { once: true });
  });
  socket.accept();
  socket.send(JSON.stringify(HELLO));
  const welcome = Welcome.parse(await said);
  socket.close(1000, "done");
  return welcome;
}

/** A machine of somebody's that was traded for its one-time token. */
async function anEnrolledMachine() {
  const { userId } = await aPerson();
  const connectorId = newId();
  const token = newId().replaceAll("-", "").padEnd(43, "t");
  const now = Date.now();
  const at = new Date(now).toISOString();
  const made = { id: connectorId, name: "desk", tokenHash: await hashOfSecret(token), at };
  await services.connectors.create({ userId }, { ...made, tokenExpiresAt: new Date(now + 60_000).toISOString() });
  const bearer = connectorCredential({ kind: "token", connectorId, secret: token });
  const { stamp } = await greet(await dial(bearer, { headers: { [ENROL_HEADER]: SECRET } }));
  return { connectorId, stamp, bearer: connectorCredential({ kind: "secret", connectorId, stamp, secret: SECRET }) };
}

const away = (): never => {
  throw new AppError("database_unavailable", "The database cannot be reached.");
};
const withoutPostgres = (): ReturnType<typeof edgeWith> =>
  edgeWith({ connectors: { ...services.connectors, verify: async () => away() } });

describe("a machine with what it was told to keep", () => {
  test("comes back, also while Postgres is away", async () => {
    const { connectorId, stamp, bearer } = await anEnrolledMachine();
    expect(await greet(await dial(bearer, { edge: withoutPostgres() }))).toMatchObject({ connectorId, stamp });
    expect(
      (await dial(connectorCredential({ kind: "secret", connectorId, stamp, secret: "o".repeat(43) }))).status,
    ).toBe(401);
  });

  test("from before the key of this Mosaic was changed comes back where Postgres knows it, and is told anew what to keep", async () => {
    const { connectorId, stamp } = await anEnrolledMachine();
    const stale = connectorCredential({ kind: "secret", connectorId, stamp: "x".repeat(43), secret: SECRET });
    woken = [];
    expect((await dial(stale, { edge: withoutPostgres() })).status).toBe(503);
    expect(woken).toEqual([]);
    expect((await greet(await dial(stale))).stamp).toBe(stamp);
  });
});

describe("what nobody was given", () => {
  test("wakes no object: invented ids, another's stamp, a used-up token", async () => {
    const [ada, eve] = [await anEnrolledMachine(), await anEnrolledMachine()];
    expect(ada.stamp).not.toBe(eve.stamp);
    woken = [];
    const secret = "o".repeat(43);
    for (const [connectorId, stamp] of [
      [newId(), "x".repeat(43)],
      [newId(), eve.stamp],
      [ada.connectorId, eve.stamp],
      [ada.connectorId, `${ada.stamp.slice(0, -1)}${ada.stamp.endsWith("A") ? "B" : "A"}`],
    ] as const) {
      expect((await dial(connectorCredential({ kind: "secret", connectorId, stamp, secret }))).status).toBe(401);
    }
    expect((await dial(`mosaic-connector.${ada.connectorId}.${secret}`)).status).toBe(401);
    for (const connectorId of [newId(), ada.connectorId]) {
      const token = connectorCredential({ kind: "token", connectorId, secret });
      expect((await dial(token, { headers: { [ENROL_HEADER]: secret } })).status).toBe(401);
    }
    expect(woken).toEqual([]);
  });
});
