import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StartLogin } from "../../contract/provider.ts";
import { bindingOf } from "../../ports/credential-vault.ts";
import type { ProviderChanges } from "../../ports/provider-store.ts";
import { join, openRooms, type Rooms } from "../../testing/postgres/suite/people.ts";
import { makeHouse, vault } from "../../testing/postgres/suite/provider-people.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { loginHouse, starterOf } from "../../testing/provider-logins/login-house.ts";
import { LoginVendor } from "../../testing/provider-logins/login-vendor.ts";

let database: TestDatabase;
let rooms: Rooms;
let vendor: LoginVendor;
let people: Awaited<ReturnType<typeof makeHouse>>;
beforeAll(async () => {
  database = await startTestDatabase();
  rooms = openRooms(database);
  vendor = await new LoginVendor().start();
  people = await makeHouse(rooms);
  await join(rooms, people.bob, people.team, "admin");
}, 60_000);
afterAll(async () => {
  await vendor.stop();
  await database.stop();
});

/** Ann, who owns the workspace, has connected an instance of it and is about to renew its login. */
async function renewing(house: ReturnType<typeof loginHouse>) {
  const ann = starterOf(people.ann, { workspaces: [{ id: people.team, role: "owner" }] });
  const wish = StartLogin.parse({ scope: "workspace", workspaceId: people.team });
  const first = await house.logins.start(ann, "zai", wish);
  const made = await house.logins.finishByState(people.ann, "zai", vendor.approve(first.url));
  const id = made?.providerId ?? "";
  const again = await house.logins.start(ann, "zai", StartLogin.parse({ providerId: id }));
  return { id, back: () => vendor.approve(again.url) };
}

/** What Bob, an admin of the workspace, may do: another address, with a key of his own. */
async function moveAs(house: ReturnType<typeof loginHouse>, id: string): Promise<void> {
  const before = await house.providers.find(people.bob, id);
  if (!before?.record.credential) throw new Error("there is no such instance");
  const { credential, ...record } = before.record;
  const changes: ProviderChanges = {
    baseUrl: "https://elsewhere.example/v1",
    route: "public",
    credential: {
      ...credential,
      sealed: await vault.seal({ apiKey: "a-key-of-bob's" }, bindingOf(record)),
      method: "api-key",
      version: credential.version + 1,
    },
    at: new Date().toISOString(),
  };
  await house.providers.update(people.bob, id, changes, record.version);
}

async function holds(house: ReturnType<typeof loginHouse>, id: string) {
  const found = await house.providers.find(people.ann, id);
  if (!found?.record.credential) throw new Error("there is no such instance");
  const { credential, ...record } = found.record;
  return { baseUrl: record.baseUrl, ...(await vault.open(credential.sealed, bindingOf(record))) };
}

const FAILED = { state: "failed", error: expect.stringMatching(/^That provider .*\.$/) };

describe("an instance that somebody else moves while its login is renewed", () => {
  it("gets no token, and the token is given back", async () => {
    const house = loginHouse(rooms, vendor);
    const { id, back } = await renewing(house);
    await moveAs(house, id);
    const redirect = back();
    const live = vendor.live.size;
    expect(await house.logins.finishByState(people.ann, "zai", redirect)).toMatchObject(FAILED);
    expect(vendor.live.size).toBe(live);
    expect(await holds(house, id)).toEqual({ baseUrl: "https://elsewhere.example/v1", apiKey: "a-key-of-bob's" });
  });

  it("gets none either when it is moved between the look at it and the write", async () => {
    const house = loginHouse(rooms, vendor);
    const { id, back } = await renewing(house);
    const { find } = house.providers;
    let looks = 0;
    house.providers.find = async (scope, wanted) => {
      const found = await find(scope, wanted);
      // Once to see whether an earlier try has stored it, once to write over it.
      if (scope === people.ann && ++looks === 2) await moveAs(house, id);
      return found;
    };
    const live = vendor.live.size;
    expect(await house.logins.finishByState(people.ann, "zai", back())).toMatchObject(FAILED);
    house.providers.find = find;
    expect(vendor.live.size).toBe(live);
    expect(await holds(house, id)).toEqual({ baseUrl: "https://elsewhere.example/v1", apiKey: "a-key-of-bob's" });
  });
});
