import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConfigurationReader } from "../../../adapters/postgres/configuration-reader.ts";
import { KnownFacts } from "../../../adapters/postgres/known-facts.ts";
import { seedCatalogue } from "../../../adapters/postgres/seed-catalogue.ts";
import { createStatusStore } from "../../../adapters/postgres/status-store.ts";
import { catalogueSeed } from "../../../domain/catalogue/catalogue-seed.ts";
import { BUILT_IN_IDS } from "../../../domain/providers/provider-record.ts";
import { leave, type Rooms } from "./people.ts";
import { AT, healthRecord, makeHouse, newProvider, providersOf, withCode } from "./provider-people.ts";

const idsOf = (records: readonly { id: string }[]): Set<string> => new Set(records.map(({ id }) => id));
const HOUR_AGO = "2026-11-21T09:00:00.000Z";

export function turnConfigurationSuite(open: () => Rooms): void {
  describe("a turn's configuration", () => {
    it("holds the instances of whoever asks, of that workspace and of the system, and nobody else's", async () => {
      const rooms = open();
      const { ann, mia, bob, root, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const reader = createConfigurationReader(rooms.app);
      const make = async (who: typeof ann, more: Parameters<typeof newProvider>[1] = {}) =>
        (await store.create(who, await newProvider(who, more))).record;
      const [anns, mias, bobs] = [await make(ann), await make(mia), await make(bob)];
      const ours = await make(ann, { scope: "workspace", workspaceId: team });
      const elsewhere = await make(ann, { scope: "workspace", workspaceId: ann.personalWorkspaceId });
      const off = await make(ann, { isEnabled: false });
      const everyones = await make(root, { scope: "system" });
      const seen = async (who: typeof ann, workspaceId: string) => {
        const ids = idsOf((await reader.read(who, workspaceId)).providers);
        return [anns, mias, bobs, ours, elsewhere, off, everyones].map(({ id }) => ids.has(id));
      };
      expect(await seen(ann, team)).toEqual([true, false, false, true, false, false, true]);
      expect(await seen(mia, team)).toEqual([false, true, false, true, false, false, true]);
      expect(await seen(ann, ann.personalWorkspaceId)).toEqual([true, false, false, false, true, false, true]);
      expect(await seen(bob, team)).toEqual([false, false, false, false, false, false, true]);
      expect(await seen(bob, v7())).toEqual([false, false, false, false, false, false, true]);
      expect((await reader.read(mia, team)).providers.find(({ id }) => id === ours.id)).toEqual(ours);
      await leave(rooms, mia, team);
      expect(await seen(mia, team)).toEqual([false, false, false, false, false, false, true]);
      await store.remove(ann, anns.id);
      expect(await seen(ann, team)).toEqual([false, false, false, true, false, false, true]);
    });

    it("holds how instances fare and what they list: of those it shows, and of the environment's", async () => {
      const rooms = open();
      const { ann, mia } = await makeHouse(rooms);
      const [store, status] = [providersOf(rooms), createStatusStore(rooms.app)];
      const { record } = await store.create(ann, await newProvider(ann));
      const reader = createConfigurationReader(rooms.app);
      const models = [{ id: "m-1", contextWindow: 8_192 }, { id: "m-2" }];
      for (const id of [record.id, BUILT_IN_IDS.ollama]) {
        await status.saveHealth(id, healthRecord(3, { state: "down", openUntilMs: 253_402_300_799_000 }), {
          used: true,
        });
        await status.saveList(id, models, AT);
      }
      const known = await reader.read(ann, ann.personalWorkspaceId);
      for (const id of [record.id, BUILT_IN_IDS.ollama]) {
        expect(known.status.find(({ providerId }) => providerId === id)).toEqual({
          providerId: id,
          health: healthRecord(3, { state: "down", openUntilMs: 253_402_300_799_000 }),
          listed: models,
        });
      }
      const other = await reader.read(mia, mia.personalWorkspaceId);
      expect(other.status.some(({ providerId }) => providerId === record.id)).toBe(false);
      expect(other.status.some(({ providerId }) => providerId === BUILT_IN_IDS.ollama)).toBe(true);
      await store.remove(ann, record.id);
      expect(await status.healths([record.id])).toEqual([]);
    });

    it("sends lists and the catalogue again only when they changed, and hands out the very same until then", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      await status.saveList(record.id, [{ id: "m-1" }], AT);
      const sent: string[] = [];
      const watched = {
        ...rooms.app,
        single: async (statement: Parameters<typeof rooms.app.single>[0]) => {
          const answer = await rooms.app.single(statement);
          sent.push(JSON.stringify(answer.rows));
          return answer;
        },
      };
      const reader = createConfigurationReader(watched);
      const read = async () => {
        const { status: all, catalogue } = await reader.read(ann, ann.personalWorkspaceId);
        return { list: all.find(({ providerId }) => providerId === record.id)?.listed, catalogue };
      };
      const first = await read();
      expect(first.list).toEqual([{ id: "m-1" }]);
      expect(first.catalogue.map(({ id }) => id)).toEqual(catalogueSeed.map(({ id }) => id));
      await status.saveList(record.id, [{ id: "m-1" }], "2026-11-21T10:05:00.000Z");
      const second = await read();
      expect(second.list).toBe(first.list);
      expect(second.catalogue).toBe(first.catalogue);
      expect(sent.map((text) => text.includes('"m-1"'))).toEqual([true, false]);
      expect(sent.map((text) => text.includes("contextWindow"))).toEqual([true, false]);
      await status.saveList(record.id, [{ id: "m-2" }], "2026-11-21T10:06:00.000Z");
      expect((await read()).list).toEqual([{ id: "m-2" }]);
      const together = await Promise.all([read(), read(), createConfigurationReader(rooms.app).read(ann, v7())]);
      expect(together[0].list).toBe(together[1].list);
    });

    it("says nothing to whoever is no member, and nothing to app_user beside this one question", async () => {
      const rooms = open();
      const { ann, bob, root } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      const { record: shared } = await providersOf(rooms).create(root, await newProvider(root, { scope: "system" }));
      for (const id of [record.id, shared.id, BUILT_IN_IDS.openai])
        await status.saveHealth(id, healthRecord(1), { used: true });
      const visible = async (who: typeof ann) => {
        const [rows] = await rooms.app.scoped(who, (db) => [
          db.execute(sql`select provider_id as id from provider_status`),
        ]);
        const ids = new Set(rows.rows.map(({ id }) => id));
        return [record.id, shared.id, BUILT_IN_IDS.openai].map((id) => ids.has(id));
      };
      expect(await visible(ann)).toEqual([true, true, true]);
      expect(await visible(bob)).toEqual([false, true, true]);
      expect(await rooms.bare.query("select provider_id from provider_status")).toEqual([]);
      expect(await rooms.bare.query("select id from catalogue_models")).toEqual([]);
      for (const statement of [
        "update provider_status set health = null",
        "delete from provider_status",
        "update catalogue_models set facts = '{}'",
        "select nextval('app.revisions')",
      ])
        await expect(rooms.bare.query(statement)).rejects.toThrow(withCode("42501"));
      await expect(
        rooms.bareAuth.query("select app.turn_configuration($1, $2, '{}')", [ann.userId, ann.personalWorkspaceId]),
      ).rejects.toThrow(withCode("42501"));
    });
  });

  describe("the mirror of health", () => {
    it("never goes back to an older word, and keeps when an instance was used and asked", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      const known = async () => (await status.healths([record.id]))[0]?.health;
      const save = (version: number, used = false) =>
        status.saveHealth(record.id, healthRecord(version, { latencyMs: version }), { used });
      await Promise.all([save(2), save(5), save(3), save(4)]);
      expect((await known())?.version).toBe(5);
      await save(4);
      await save(5);
      expect(await known()).toEqual(healthRecord(5, { latencyMs: 5 }));
      await status.saveList(record.id, [{ id: "new" }], "2026-11-21T10:00:02.000Z");
      await status.saveList(record.id, [{ id: "old" }], "2026-11-21T10:00:01.000Z");
      expect((await status.facts([record.id])).status[0]?.listed).toEqual([{ id: "new" }]);
      await rooms.owner.query(
        `update provider_status set health = '{"state": "degraded", "sinceMs": 7}' where provider_id = $1`,
        [record.id],
      );
      expect(await known()).toMatchObject({
        state: "degraded",
        sinceMs: 7,
        failures: 0,
        ofVersion: 1,
        openUntilMs: null,
      });
      await rooms.owner.query(`update provider_status set health = '{"state": "what"}' where provider_id = $1`, [
        record.id,
      ]);
      expect(await known()).toMatchObject({ state: "unknown" });
    });

    it("keeps nothing of an instance that is not there, or not there any more", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      await providersOf(rooms).remove(ann, record.id);
      for (const id of [record.id, v7()]) {
        expect(await status.saveHealth(id, healthRecord(1), { used: true })).toBe(false);
        await status.saveList(id, [{ id: "m" }], AT);
      }
      expect(await status.saveHealth(BUILT_IN_IDS.zai, healthRecord(1), { used: true })).toBe(true);
      expect(await status.healths([record.id])).toEqual([]);
      expect(await status.healths([])).toEqual([]);
    });

    it("gives each probe that is due to one who asks: of what was used of late and not asked since, with its secret", async () => {
      const rooms = open();
      const { ann, bob } = await makeHouse(rooms);
      const [store, status] = [providersOf(rooms), createStatusStore(rooms.app)];
      const made = await Promise.all(
        [ann, bob, ann, ann, ann].map(async (who) => store.create(who, await newProvider(who))),
      );
      const [old, older, fresh, unused, off] = made.map(({ record }) => record);
      if (!old || !older || !fresh || !unused || !off) throw new Error("not made");
      for (const { record } of made) await status.saveHealth(record.id, healthRecord(1), { used: record !== unused });
      const listed = (id: string, at: string) => status.saveList(id, [{ id: "m" }], at);
      await listed(old.id, "2026-11-21T09:58:00.000Z");
      await listed(older.id, "2026-11-21T09:57:00.000Z");
      await listed(fresh.id, "2026-11-21T09:59:59.000Z");
      await listed(unused.id, "2026-11-21T09:00:00.000Z");
      await listed(off.id, "2026-11-21T09:00:00.000Z");
      await store.update(ann, off.id, { isEnabled: false, at: AT });
      const mine = new Set(made.map(({ record }) => record.id));
      const claim = async (at: string, usedAfter = HOUR_AGO, limit = 1_000) => {
        const askedBefore = new Date(Date.parse(at) - 60_000).toISOString();
        const { stored } = await status.claimDue([], { askedBefore, usedAfter, at }, limit);
        return stored.filter(({ id }) => mine.has(id));
      };
      const byId = (records: readonly { id: string }[]) => records.toSorted((a, b) => a.id.localeCompare(b.id));
      expect(await claim("2026-11-21T10:00:00.000Z", "2999-01-01T00:00:00.000Z")).toEqual([]);
      expect(await claim("2026-11-21T10:00:00.000Z", HOUR_AGO, 0)).toEqual([]);
      const claims = await Promise.all([1, 2, 3].map(() => claim("2026-11-21T10:00:00.000Z")));
      expect(byId(claims.flat())).toEqual(byId([older, old]));
      expect(await claim("2026-11-21T10:00:30.000Z")).toEqual([]);
      expect(byId(await claim("2026-11-21T10:01:01.000Z"))).toEqual(byId([older, old, fresh]));
    });

    it("gives the longest unasked first to whoever takes on a few", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const [store, status] = [providersOf(rooms), createStatusStore(rooms.app)];
      const made = await Promise.all(
        [1, 2, 3].map(async () => (await store.create(ann, await newProvider(ann))).record),
      );
      for (const [index, { id }] of made.entries()) {
        await status.saveHealth(id, healthRecord(1), { used: true });
        await status.saveList(id, [], `1999-01-0${3 - index}T00:00:00.000Z`);
      }
      const since = { askedBefore: "1999-02-01T00:00:00.000Z", usedAfter: HOUR_AGO, at: "1999-02-02T00:00:00.000Z" };
      const order: string[] = [];
      for (let next = "first"; next !== ""; order.push(next))
        next = (await status.claimDue([], since, 1)).stored[0]?.id ?? "";
      const mine = made.map(({ id }) => id);
      expect(order.filter((id) => mine.includes(id))).toEqual(mine.toReversed());
    });

    it("takes on the environment's once in a while, whoever asks, and nothing that claims to be one of them", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      await rooms.owner.query("delete from provider_status where provider_id = $1", [BUILT_IN_IDS.openrouter]);
      const claim = async (at: string) => {
        const askedBefore = new Date(Date.parse(at) - 60_000).toISOString();
        const ids = [BUILT_IN_IDS.openrouter, record.id];
        return (await status.claimDue(ids, { askedBefore, usedAfter: "2999-01-01T00:00:00.000Z", at }, 10))
          .environmentIds;
      };
      const together = await Promise.all([claim("2026-11-21T10:00:00.000Z"), claim("2026-11-21T10:00:00.000Z")]);
      expect(together.flat()).toEqual([BUILT_IN_IDS.openrouter]);
      expect(await claim("2026-11-21T10:00:59.000Z")).toEqual([]);
      expect(await claim("2026-11-21T10:01:01.000Z")).toEqual([BUILT_IN_IDS.openrouter]);
    });
  });

  describe("the facts of models", () => {
    it("come again only when they changed, to turns and to the list of models alike", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const known = new KnownFacts();
      const [reader, status] = [createConfigurationReader(rooms.app, known), createStatusStore(rooms.app, known)];
      const { record } = await providersOf(rooms).create(ann, await newProvider(ann));
      await status.saveList(record.id, [{ id: "m-1" }], AT);
      const facts = await status.facts([record.id]);
      expect(facts.status).toMatchObject([{ providerId: record.id, listed: [{ id: "m-1" }] }]);
      const again = await status.facts([record.id]);
      expect(again.catalogue).toBe(facts.catalogue);
      expect(again.status[0]?.listed).toBe(facts.status[0]?.listed);
      const read = await reader.read(ann, ann.personalWorkspaceId);
      expect(read.catalogue).toBe(facts.catalogue);
      expect(read.status.find(({ providerId }) => providerId === record.id)?.listed).toBe(facts.status[0]?.listed);
      await status.saveList(record.id, [{ id: "m-2" }], "2026-11-21T10:06:00.000Z");
      expect((await status.facts([record.id])).status[0]?.listed).toEqual([{ id: "m-2" }]);
    });
  });

  describe("the catalogue of models", () => {
    it("is what the program knows, in its order; what it knows no more is retired; the same again changes nothing", async () => {
      const rooms = open();
      const catalogue = async () => (await createStatusStore(rooms.app).facts([])).catalogue;
      expect(await catalogue()).toEqual(catalogueSeed.map((row) => ({ ...row })));
      const version = async () =>
        (await rooms.owner.query("select max(revision)::text as newest from catalogue_models"))[0]?.newest;
      const before = await version();
      expect(await seedCatalogue(rooms.owner)).toBe(false);
      expect(await version()).toBe(before);
      await rooms.owner.query(`insert into catalogue_models (provider, id, facts, position, revision)
        values ('openai', 'gone', '{"provider": "openai", "id": "gone", "isRetired": false}', 999, 0)`);
      await rooms.owner.query(`update catalogue_models set facts = facts || '{"name": "Wrong"}' where id = $1`, [
        catalogueSeed[0]?.id,
      ]);
      expect(await seedCatalogue(rooms.owner)).toBe(true);
      expect(await catalogue()).toEqual([
        ...catalogueSeed.map((row) => ({ ...row })),
        { provider: "openai", id: "gone", isRetired: true },
      ]);
      expect(Number(await version())).toBeGreaterThan(Number(before));
      await rooms.owner.query("delete from catalogue_models where id = 'gone'");
    });
  });
}
