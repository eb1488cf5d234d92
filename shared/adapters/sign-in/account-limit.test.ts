import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { PASSWORD, type SignInHouse, startSignIn } from "../../testing/sign-in/start-sign-in.ts";
import { createDatabase } from "../postgres/database.ts";
import { createMaintenance } from "../postgres/maintenance.ts";

// Passwords are hashed for real, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

let database: TestDatabase;
let house: SignInHouse;
beforeAll(async () => {
  database = await startTestDatabase();
  house = startSignIn(database);
}, 60_000);
afterAll(() => database?.stop());

/** Every attempt comes from an address of its own, so that the limit per address is no part of it. */
const attempt = (email: string, password = "wrong password") => house.ask("/sign-in/email", { email, password });
const statuses = async (count: number, email: string) =>
  (await Promise.all(Array.from({ length: count }, () => attempt(email)))).map(({ status }) => status).sort();
const ten = Array.from({ length: 10 }, () => 401);
const counters = () => house.rows("select key, count from auth.rate_limit where key like 'account|%' and count > 0");
const forget = () => house.rows("delete from auth.rate_limit");

it("stops the eleventh wrong password for an account, and the right one too, wherever they come from", async () => {
  await house.newcomer("ada@example.com");
  await forget();
  // Upper case is the same account; all at once is no way around.
  expect(await statuses(6, "ada@example.com")).toEqual(ten.slice(0, 6));
  expect(await statuses(6, "ADA@Example.com")).toEqual([...ten.slice(0, 4), 429, 429]);
  const stopped = await attempt("ada@example.com", PASSWORD);
  expect(stopped).toMatchObject({
    status: 429,
    body: {
      code: "rate_limited",
      message: "Too many wrong passwords for this e-mail address; try again in 15 minutes.",
    },
  });
  const wait = Number(stopped.headers.get("retry-after"));
  expect(wait).toBeGreaterThan(800);
  expect(wait).toBeLessThanOrEqual(900);
});

it("answers for an address without an account word for word the same", async () => {
  await house.newcomer("real@example.com");
  await forget();
  const known = await statuses(10, "real@example.com");
  expect(await statuses(10, "nobody@example.com")).toEqual(known);
  const [real, nobody] = [await attempt("real@example.com"), await attempt("nobody@example.com")];
  expect(nobody).toMatchObject({ status: 429, body: real.body });
  expect([...nobody.headers.keys()]).toEqual([...real.headers.keys()]);
});

it("lets go a quarter of an hour after the first one, however many followed", async () => {
  await house.newcomer("later@example.com");
  await forget();
  await statuses(12, "later@example.com");
  const ago = (minutes: number) =>
    house.rows("update auth.rate_limit set last_request = (extract(epoch from now()) * 1000)::bigint - $1", [
      minutes * 60_000,
    ]);
  await ago(14);
  const soon = await attempt("later@example.com", PASSWORD);
  expect(soon).toMatchObject({ status: 429, body: { message: expect.stringContaining("try again in a minute.") } });
  await ago(15);
  expect((await attempt("later@example.com", PASSWORD)).status).toBe(200);
});

it("counts wrong passwords alone: no success, no malformed request, and no other account", async () => {
  await house.newcomer("often@example.com");
  await forget();
  await attempt("often@example.com");
  for (let time = 0; time < 11; time += 1) expect((await attempt("often@example.com", PASSWORD)).status).toBe(200);
  for (const body of [{}, { email: 7 }, { email: "no address", password: "x" }, { email: "often@example.com" }]) {
    expect((await house.ask("/sign-in/email", body)).status).toBe(400);
  }
  const kept = await counters();
  expect(kept).toEqual([{ key: expect.stringMatching(/^account\|[0-9a-f]{64}$/), count: 1 }]);
});

it("is cleared by the sweep", async () => {
  await forget();
  await attempt("gone@example.com");
  const { endpoint, appUrl, authUrl } = database;
  const maintenance = createMaintenance({
    app: createDatabase({ connectionString: appUrl, endpoint }),
    auth: createDatabase({ connectionString: authUrl, endpoint }),
  });
  await maintenance.sweepExpired(500);
  expect(await counters()).toHaveLength(1);
  await house.rows("update auth.rate_limit set last_request = last_request - 3700000");
  await maintenance.sweepExpired(500);
  expect(await counters()).toEqual([]);
});
