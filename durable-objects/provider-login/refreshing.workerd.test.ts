import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  aLogin,
  keeperOver,
  memoryBook,
  NOW_MS,
  RotatingVendor,
  TestPostgres,
} from "../../shared/testing/worker/login-keeper-bench.ts";
import type { Bindings } from "../stubs.ts";
import { createLoginBook } from "./kept-login.ts";
import { LoginKeeper } from "./login-keeper.ts";

const HOUR = 3_600_000;

describe("tokens of a login", () => {
  it("are handed out as they are while they are good for another minute", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + 60_001 });
    const { keeper } = keeperOver({ vendor });
    expect(await keeper.fresh(record)).toMatchObject({ ok: true, credential: { version: 1 } });
    expect(vendor.asked).toEqual([]);
  });

  it("are refreshed once for twenty turns at the same time, and for those who come late with the old ones", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + 59_000 });
    const { keeper, open } = keeperOver({ vendor });
    const answers = await Promise.all(Array.from({ length: 20 }, () => keeper.fresh(record)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ ok: true, credential: { version: 2, expiresAtMs: NOW_MS + HOUR } });
    expect(await keeper.fresh(record)).toEqual(answers[0]);
    expect(vendor.asked).toHaveLength(1);
    expect(vendor.isGood((await open(answers[0])).oauth?.accessToken)).toBe(true);
  });

  it("are refreshed once when their vendor refuses them before their time, for all who heard that", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + HOUR });
    const { keeper, open } = keeperOver({ vendor });
    const refused = record.credential;
    const renew = () => keeper.fresh(record, refused ?? undefined);
    const answers = await Promise.all([keeper.fresh(record), ...Array.from({ length: 20 }, renew)]);
    expect(answers[0]).toMatchObject({ ok: true, credential: { version: 1 } });
    expect(new Set(answers.slice(1).map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[1]).toMatchObject({ ok: true, credential: { version: 2 } });
    expect(vendor.isGood((await open(answers[1])).oauth?.accessToken)).toBe(true);
    expect(await renew()).toEqual(answers[1]);
    expect(vendor.asked).toHaveLength(1);
  });

  it("that were refused are not handed out again because the vendor cannot renew them now", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + HOUR });
    const { keeper } = keeperOver({ vendor });
    const renew = () => keeper.fresh(record, record.credential ?? undefined);
    vendor.isDown = true;
    expect(await renew()).toMatchObject({ ok: false, why: "unavailable" });
    vendor.isDown = false;
    vendor.forgetAll();
    expect(await renew()).toEqual({ ok: false, why: "ended" });
  });

  it("reach Postgres under the version they were made from, and not twice", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    const { keeper, settled } = keeperOver({ vendor, postgres });
    const answer = await keeper.fresh(record);
    await settled();
    expect(answer.ok && postgres.row).toEqual(answer.ok && answer.credential);
    await keeper.catchUp();
    expect(postgres.writes).toBe(1);
  });

  it("wait for Postgres while it is away, through further refreshes, and are all there in the end", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    const bench = keeperOver({ vendor, postgres });
    postgres.isAway = true;
    for (const version of [2, 3, 4]) {
      expect(await bench.keeper.fresh(record)).toMatchObject({ ok: true, credential: { version } });
      await bench.settled();
      expect(bench.book.wakeAtMs).toBeGreaterThan(bench.clock.nowMs);
      bench.clock.nowMs += HOUR;
    }
    expect(postgres.row?.version).toBe(1);
    postgres.isAway = false;
    await bench.keeper.catchUp();
    expect(postgres.row?.version).toBe(4);
    expect(bench.book.wakeAtMs).toBeNull();
    expect(vendor.asked).toHaveLength(3);
  });

  it("overtake nothing on their way to a slow Postgres", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    const { keeper, clock, settled } = keeperOver({ vendor, postgres });
    const gate = Promise.withResolvers<void>();
    postgres.slowly = gate.promise;
    await keeper.fresh(record);
    clock.nowMs += HOUR;
    const last = await keeper.fresh(record);
    gate.resolve();
    await settled();
    expect(last).toEqual({ ok: true, credential: postgres.row });
    expect(postgres.row?.version).toBe(3);
  });

  it("end with the vendor's word, without asking it again, until somebody logs in again", async () => {
    const vendor = new RotatingVendor();
    const { record, seal } = await aLogin(vendor, { expiresAtMs: 0 });
    const { keeper, book } = keeperOver({ vendor });
    vendor.forgetAll();
    expect(await keeper.fresh(record)).toEqual({ ok: false, why: "ended" });
    expect(await keeper.fresh(record)).toEqual({ ok: false, why: "ended" });
    expect(vendor.asked).toHaveLength(1);
    expect(JSON.stringify(book.read())).not.toContain("v1.");
    const again = await seal(vendor.grant(), { expiresAtMs: NOW_MS + HOUR, version: 2 });
    expect(await keeper.fresh({ ...record, credential: again })).toMatchObject({ ok: true, credential: again });
  });

  it("are asked for again while the vendor is out of order, for twenty seconds at most, by all waiting together", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: 0 });
    const { keeper, clock } = keeperOver({ vendor });
    vendor.troubles.push("unavailable", "unavailable");
    expect(await keeper.fresh(record)).toMatchObject({ ok: true });
    expect(vendor.asked).toHaveLength(3);
    clock.nowMs += HOUR;
    vendor.isDown = true;
    const from = clock.nowMs;
    const answers = await Promise.all([keeper.fresh(record), keeper.fresh(record), keeper.fresh(record)]);
    expect(answers.every((each) => !each.ok && each.why === "unavailable")).toBe(true);
    expect(clock.nowMs - from).toBeLessThanOrEqual(20_000);
  });

  it("serve until their own end where no new ones can be had", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + 50_000 });
    const { keeper, clock } = keeperOver({ vendor });
    vendor.isDown = true;
    expect(await keeper.fresh(record)).toMatchObject({ ok: true, credential: { version: 1 } });
    clock.nowMs += 50_000;
    expect(await keeper.fresh(record)).toMatchObject({ ok: false, why: "unavailable" });
    vendor.isDown = false;
    vendor.troubles.push("misconfigured");
    expect(await keeper.fresh(record)).toMatchObject({ ok: false, why: "misconfigured" });
    expect(await keeper.fresh(record)).toMatchObject({ ok: true });
  });

  it("survive that somebody changes the gateway's headers with the used-up token beside them", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record, seal, tokens } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    const { keeper, settled, open } = keeperOver({ vendor, postgres });
    postgres.isAway = true;
    await keeper.fresh(record);
    await settled();
    const changed = await seal(tokens, { expiresAtMs: 0, version: 2, headers: { "x-gateway": "new" } });
    postgres.isAway = false;
    postgres.row = changed;
    const answer = await keeper.fresh({ ...record, credential: changed });
    const secret = await open(answer);
    expect(secret.headers).toEqual({ "x-gateway": "new" });
    expect(vendor.isGood(secret.oauth?.accessToken)).toBe(true);
    await settled();
    expect(postgres.row).toEqual(answer.ok && answer.credential);
    expect(vendor.asked).toHaveLength(1);
  });

  it("take what was written by somebody else over what is kept here", async () => {
    const vendor = new RotatingVendor();
    const { record, seal } = await aLogin(vendor, { expiresAtMs: 0 });
    const { keeper } = keeperOver({ vendor });
    await keeper.fresh(record);
    const theirs = await seal(vendor.grant(), { expiresAtMs: NOW_MS + HOUR, version: 9 });
    expect(await keeper.fresh({ ...record, credential: theirs })).toEqual({ ok: true, credential: theirs });
    expect(await keeper.fresh(record)).toEqual({ ok: true, credential: theirs });
  });
});

describe("revocation", () => {
  it("takes back the newest tokens, also those that Postgres never had, and keeps nothing", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    const { keeper, book } = keeperOver({ vendor, postgres });
    postgres.isAway = true;
    const refreshing = keeper.fresh(record);
    await keeper.revoke(record);
    expect(await refreshing).toMatchObject({ ok: true });
    expect(vendor.live).toBe(0);
    expect(book.read()).toEqual({ state: "ended", version: 2 });
    expect(await keeper.fresh(record)).toEqual({ ok: false, why: "ended" });
  });

  it("goes on by itself while the vendor is away, and gives nobody the tokens meanwhile", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + HOUR });
    const { keeper, book, clock } = keeperOver({ vendor });
    vendor.isDown = true;
    await keeper.revoke(record);
    expect(await keeper.fresh(record)).toEqual({ ok: false, why: "ended" });
    expect(book.wakeAtMs).toBeGreaterThan(clock.nowMs);
    vendor.isDown = false;
    await keeper.catchUp();
    expect(vendor.live).toBe(0);
    expect(book.read()).toMatchObject({ state: "ended" });
  });

  it("gives up one day, and forgets the tokens then too", async () => {
    const vendor = new RotatingVendor();
    const { record } = await aLogin(vendor, { expiresAtMs: NOW_MS + HOUR });
    const { keeper, book } = keeperOver({ vendor });
    vendor.isDown = true;
    await keeper.revoke(record);
    for (let tries = 0; tries < 12; tries += 1) await keeper.catchUp();
    expect(book.read()).toMatchObject({ state: "ended" });
    expect(book.wakeAtMs).toBeNull();
  });
});

describe("two logins", () => {
  it("never open each other's tokens, even with their objects mixed up", async () => {
    const vendor = new RotatingVendor();
    const [mine, theirs] = [await aLogin(vendor, { expiresAtMs: 0 }), await aLogin(vendor, { expiresAtMs: 0 })];
    const { keeper } = keeperOver({ vendor, book: memoryBook() });
    const mixed = { ...mine.record, credential: theirs.record.credential };
    expect(await keeper.fresh(mixed)).toEqual({ ok: false, why: "damaged" });
    expect(vendor.asked).toEqual([]);
  });
});

describe("the object", () => {
  const { PROVIDER_LOGIN } = env as unknown as Bindings;
  const stub = () => PROVIDER_LOGIN.get(PROVIDER_LOGIN.newUniqueId());

  it("keeps tokens in its storage, sealed, and finds them there after it was reset", async () => {
    const vendor = new RotatingVendor();
    const postgres = new TestPostgres();
    const { record, tokens } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
    postgres.isAway = true;
    const object = stub();
    await runInDurableObject(object, async (_instance, { storage }) => {
      const book = createLoginBook(storage, () => {});
      const first = await keeperOver({ vendor, postgres, book }).keeper.fresh(record);
      const second = new LoginKeeper(keeperOver({ vendor, postgres, book }).deps);
      expect(await second.fresh(record)).toEqual(first);
      expect(vendor.asked).toHaveLength(1);
      const kept = JSON.stringify([...storage.kv.list()]);
      expect(kept).toContain("v1.");
      for (const secret of [tokens.accessToken, tokens.refreshToken ?? "", ...vendor.issued]) {
        expect(kept).not.toContain(secret);
      }
      expect(await storage.getAlarm()).not.toBeNull();
    });
    // Its own Postgres knows no such credential: there is nothing to write any more.
    expect(await runDurableObjectAlarm(object)).toBe(true);
    await runInDurableObject(object, async (_instance, { storage }) => {
      expect(createLoginBook(storage, () => {}).read()).toMatchObject({ state: "live", saveTries: null });
      expect(await storage.getAlarm()).toBeNull();
    });
  });
});
