/** Who may speak as whom: what a request over the gateway, or another machine's word, cannot make an object believe. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { expect, test, vi } from "vitest";
import type { MachineAnswer, MachineRequest } from "../../shared/client/connector/machine-streams.ts";
import { CONNECTOR_PROTOCOL } from "../../shared/contract/connector-frames.ts";
import { CONNECTOR_HEADERS, type DialIn } from "../../shared/ports/connector-gateway.ts";
import { aPerson } from "../../shared/testing/worker/people.ts";
import { askMachine, STAMP, TestMachine, upgradeMachine } from "../../shared/testing/worker/test-machine.ts";
import { servicesFor } from "../services-for.ts";
import { type Bindings, connectorObject } from "../stubs.ts";

vi.setConfig({ testTimeout: 60_000 });

const bindings = env as unknown as Bindings;
const services = servicesFor(bindings);

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function aConnector(name: string) {
  const owner = await aPerson();
  const connectorId = newId();
  const secretHash = newId();
  const at = new Date().toISOString();
  const scope = { userId: owner.userId };
  await services.connectors.create(scope, { id: connectorId, name, tokenHash: null, tokenExpiresAt: null, at });
  await services.connectors.enrol(scope, connectorId, secretHash, at);
  const dialIn: DialIn = { connectorId, stamp: STAMP, secretHash, owner: { ownerUserId: owner.userId, name } };
  return {
    dialIn,
    target: { connectorId, ownerUserId: owner.userId, upstream: "ollama" },
    object: connectorObject(bindings, connectorId),
    stub: bindings.CONNECTOR.get(bindings.CONNECTOR.idFromName(connectorId)),
    stored: () => services.connectors.find(scope, connectorId),
  };
}

const identityOf = (stub: DurableObjectStub): Promise<unknown> =>
  runInDurableObject(stub, (_object, { storage }) => storage.kv.get("identity"));

test("a request's headers do not dial in: the object stays its owner's, and the request goes to the machine", async () => {
  const victim = await aConnector("victim");
  const mallory = await aConnector("mallory");
  const seen: MachineRequest[] = [];
  await TestMachine.dial(mallory.object, mallory.dialIn, async (request): Promise<MachineAnswer> => {
    seen.push(request);
    return { status: 204, headers: [], body: nothing() };
  });
  const before = await identityOf(mallory.stub);
  const forged = encodeURIComponent(JSON.stringify({ ...victim.dialIn, secretHash: "mallory's" }));
  for (const name of [CONNECTOR_HEADERS.dialIn, "x-mosaic-dial-in", "X-MOSAIC-DIAL-IN"]) {
    const headers = { [name]: forged, "sec-websocket-protocol": CONNECTOR_PROTOCOL, upgrade: "websocket" };
    expect((await askMachine(mallory.object, mallory.target, "/api/tags", { headers })).status).toBe(204);
  }
  expect(seen.flatMap(({ headers }) => headers)).toEqual([]);
  expect(await identityOf(mallory.stub)).toEqual(before);
  expect(
    (await upgradeMachine(mallory.object, { ...mallory.dialIn, secretHash: "mallory's", owner: null })).status,
  ).toBe(401);
});

test("an object lets in nobody under the id of another, and does not change hands", async () => {
  const victim = await aConnector("victim");
  const mallory = await aConnector("mallory");
  expect((await upgradeMachine(mallory.object, victim.dialIn)).status).toBe(401);
  expect(await identityOf(mallory.stub)).toBeUndefined();
  const machine = await TestMachine.dial(mallory.object, mallory.dialIn, () => new Promise(() => {}));
  const before = await identityOf(mallory.stub);
  const stolen = { ...mallory.dialIn, owner: victim.dialIn.owner };
  for (const dialIn of [victim.dialIn, stolen, { ...victim.dialIn, owner: null }]) {
    expect((await upgradeMachine(mallory.object, dialIn)).status).toBe(401);
  }
  expect(await identityOf(mallory.stub)).toEqual(before);
  expect(machine.closed).toBeNull();
  expect((await victim.stored())?.isOnline).toBe(false);
});

test("an address that is no door of the object's is answered with nothing", async () => {
  const { object, dialIn, stub } = await aConnector("desk");
  const headers = {
    upgrade: "websocket",
    "sec-websocket-protocol": CONNECTOR_PROTOCOL,
    [CONNECTOR_HEADERS.dialIn]: encodeURIComponent(JSON.stringify(dialIn)),
  };
  expect((await object.fetch(new Request("https://connector/", { headers }))).status).toBe(404);
  expect(await identityOf(stub)).toBeUndefined();
});
