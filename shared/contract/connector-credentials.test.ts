import { expect, test } from "vitest";
import { connectorCredential, hashOfSecret, readConnectorCredential } from "./connector-credentials.ts";

const ID = "01890000-0000-7000-8000-000000000001";
const SECRET = "s".repeat(43);
const STAMP = "t".repeat(43);

test("a token and a secret are told apart, and name their connector", () => {
  const own = { connectorId: ID, secret: SECRET };
  for (const credential of [
    { kind: "token", ...own },
    { kind: "secret", ...own, stamp: STAMP },
  ] as const) {
    expect(readConnectorCredential(connectorCredential(credential))).toEqual(credential);
  }
});

test("anything else is neither", () => {
  for (const text of [
    "",
    "mosaic_apikey",
    `mosaic-connect.${ID}`,
    `mosaic-connect.${ID}.short`,
    `mosaic-connect.none.${SECRET}`,
    `mosaic-connect.${ID}.${SECRET}.more`,
    `other.${ID}.${SECRET}`,
    `mosaic-connector.${ID}.${SECRET}`,
    `mosaic-connector.${ID}.short.${SECRET}`,
    `mosaic-connector.${ID}.${STAMP}.short`,
    `mosaic-connector.${ID}.${STAMP}.${SECRET}.more`,
    `mosaic-connect.${ID}.${"s".repeat(42)} `,
  ]) {
    expect(readConnectorCredential(text), text).toBeNull();
  }
});

test("a hash is SHA-256 in hex", async () => {
  expect(await hashOfSecret("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
