import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { servicesFor } from "../../../durable-objects/services-for.ts";
import type { Bindings } from "../../../durable-objects/stubs.ts";
import { hashOfSecret } from "../../../shared/contract/connector-credentials.ts";
import { aPerson } from "../../../shared/testing/worker/people.ts";
import { freeName } from "./free-name.ts";

const { connectors } = servicesFor(env as unknown as Bindings);

async function someone() {
  const scope = { userId: (await aPerson()).userId };
  const nameFor = (name: string, secretHash: string | null) => freeName(connectors, scope, name, secretHash);
  /** A machine that dials in as `name` with a secret of its own. */
  const dialIn = async (name: string, isOnline = true) => {
    const secretHash = await hashOfSecret(newId());
    const at = new Date().toISOString();
    const made = await connectors.create(scope, { id: newId(), name, tokenHash: null, tokenExpiresAt: null, at });
    await connectors.enrol(scope, made.id, secretHash, at);
    await connectors.announce(made.id, { upstreams: isOnline ? [] : null, clientVersion: "1", at });
    return { id: made.id, secretHash };
  };
  return { scope, nameFor, dialIn };
}

test("a machine gets the next free name where another one is online under its own, and keeps that", async () => {
  const { nameFor, dialIn } = await someone();
  expect(await nameFor("pi", "new")).toBe("pi");
  const first = await dialIn("pi");
  expect(await nameFor("pi", "new")).toBe("pi-2");
  expect(await nameFor("pi", first.secretHash)).toBe("pi");
  const second = await dialIn("pi-2", false);
  expect(await nameFor("pi", second.secretHash)).toBe("pi-2");
  expect(await nameFor("pi", "a third")).toBe("pi-3");
  const long = "x".repeat(60);
  await dialIn(long);
  expect(await nameFor(long, "new")).toBe(`${"x".repeat(58)}-2`);
});

test("a machine that is offline may be set up anew under its name; machines of others take no name away", async () => {
  const [ann, bob] = [await someone(), await someone()];
  await ann.dialIn("attic", false);
  expect(await ann.nameFor("attic", "new")).toBe("attic");
  await ann.dialIn("desk");
  expect(await bob.nameFor("desk", "new")).toBe("desk");
});

test("a token is made for the name that nobody has dialled in under", async () => {
  const { nameFor, dialIn, scope } = await someone();
  await dialIn("pi");
  expect(await nameFor("pi", null)).toBe("pi-2");
  const at = new Date().toISOString();
  await connectors.create(scope, { id: newId(), name: "pi-2", tokenHash: newId(), tokenExpiresAt: at, at });
  expect(await nameFor("pi", null)).toBe("pi-2");
  await dialIn("pi-2", false);
  expect(await nameFor("pi", null)).toBe("pi-3");
});
