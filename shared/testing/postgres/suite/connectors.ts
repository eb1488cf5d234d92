import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConnectorStore } from "../../../adapters/postgres/connector-store.ts";
import { createMaintenance } from "../../../adapters/postgres/maintenance.ts";
import type { Scope } from "../../../ports/conversation-store.ts";
import type { Rooms } from "./people.ts";
import { AT, makeHouse, providersOf, withCode } from "./provider-people.ts";

const LATER = "2026-11-21T10:05:00.000Z";
const EXPIRES = "2026-11-21T10:15:00.000Z";
const TOO_LATE = "2026-11-21T10:15:00.001Z";
const hash = (word: string): string => Buffer.from(word).toString("hex").padEnd(64, "0").slice(0, 64);

const ollama = { name: "ollama", kind: "ollama" } as const;
const vllm = { name: "gpu-box", kind: "openai-compatible" } as const;

export function connectorsSuite(open: () => Rooms): void {
  const connectors = () => createConnectorStore(open().app);
  const make = (
    who: Scope,
    name: string,
    token: string | null = hash("token"),
    id = v7(),
    tokenExpiresAt: string | null = EXPIRES,
  ) => connectors().create(who, { id, name, tokenHash: token, tokenExpiresAt: token && tokenExpiresAt, at: AT });

  describe("connectors", () => {
    it("are their owner's: in a list, by id, in every verb", async () => {
      const { ann, bob } = await makeHouse(open());
      const store = connectors();
      const made = await make(ann, "attic");
      expect(made).toEqual({
        id: made.id,
        ownerUserId: ann.userId,
        name: "attic",
        isOnline: false,
        lastSeenAt: null,
        upstreams: [],
        clientVersion: null,
        createdAt: AT,
      });
      expect(await store.list(ann)).toEqual([made]);
      expect(await store.find(ann, made.id)).toEqual(made);
      expect([await store.list(bob), await store.find(bob, made.id)]).toEqual([[], null]);
      expect(await store.remove(bob, made.id)).toBe(false);
      expect(await store.enrol(bob, made.id, hash("bobs"), AT)).toBe(false);
      expect(await store.verify(made.id, hash("bobs"))).toBeNull();
      await expect(make(bob, "other", hash("t"), made.id)).rejects.toThrow(withCode("conflict"));
      expect((await make(bob, "attic")).id).not.toBe(made.id);
      const seize = open().app.scoped(bob, (db) => [
        db.execute(
          sql`insert into connectors (id, owner_user_id, name, created_at) values (${v7()}, ${ann.userId}, 'x', now())`,
        ),
      ]);
      await expect(seize).rejects.toThrow(withCode("42501"));
      expect(await open().bare.query("select id from connectors")).toEqual([]);
      await expect(open().bare.query("update connectors set is_online = true")).rejects.toThrow(withCode("42501"));
      expect(await store.remove(ann, made.id)).toBe(true);
      expect(await store.remove(ann, made.id)).toBe(false);
    });

    it("trade a token once, for the first secret that comes with it; the same pair may come again", async () => {
      const { ann } = await makeHouse(open());
      const store = connectors();
      const { id } = await make(ann, "attic");
      const [token, secret, other] = [hash("token"), hash("secret"), hash("other")];
      const owner = { ownerUserId: ann.userId, name: "attic" };
      expect(await store.claim(id, hash("guess"), secret, LATER)).toBeNull();
      expect(await store.claim(v7(), token, secret, LATER)).toBeNull();
      expect(await store.claim(id, token, secret, TOO_LATE)).toBeNull();
      const race = await Promise.all([secret, other].map((one) => store.claim(id, token, one, LATER)));
      expect(race.filter((answer) => answer !== null)).toEqual([owner]);
      const [won, lost] = race[0] ? [secret, other] : [other, secret];
      expect(await store.claim(id, token, won, TOO_LATE)).toEqual(owner);
      expect(await store.claim(id, token, lost, LATER)).toBeNull();
      expect([await store.verify(id, won), await store.verify(id, lost), await store.verify(v7(), won)]).toEqual([
        owner,
        null,
        null,
      ]);
      expect(await store.enrol(ann, id, hash("newer"), LATER)).toBe(true);
      expect([await store.verify(id, hash("newer")), await store.verify(id, won)]).toEqual([owner, null]);
      expect(await store.claim(id, token, won, LATER)).toBeNull();
      expect(await store.verify(id, won)).toBeNull();
    });

    it("keep their id and secret when their name is set up again, and take no traded token back to life", async () => {
      const { ann } = await makeHouse(open());
      const store = connectors();
      const first = await make(ann, "attic", hash("t1"));
      expect(await make(ann, "attic", hash("t1"), first.id)).toEqual(first);
      await store.claim(first.id, hash("t1"), hash("s1"), LATER);
      expect((await make(ann, "attic", hash("t1"), first.id)).id).toBe(first.id);
      expect(await store.claim(first.id, hash("t1"), hash("thief"), LATER)).toBeNull();
      expect((await make(ann, "attic", null)).id).toBe(first.id);
      expect(await store.claim(first.id, hash("t1"), hash("s1"), LATER)).not.toBeNull();
      expect((await make(ann, "attic", hash("t2"))).id).toBe(first.id);
      expect(await store.verify(first.id, hash("s1"))).not.toBeNull();
      expect(await store.claim(first.id, hash("t1"), hash("s1"), LATER)).toBeNull();
      expect(await store.claim(first.id, hash("t2"), hash("s2"), LATER)).not.toBeNull();
      expect([await store.verify(first.id, hash("s1")), (await store.verify(first.id, hash("s2")))?.name]).toEqual([
        null,
        "attic",
      ]);
    });

    it("bring an instance of their owner's for each new upstream, once; what was removed stays removed", async () => {
      const { ann, bob } = await makeHouse(open());
      const [store, providers] = [connectors(), providersOf(open())];
      const { id } = await make(ann, "attic");
      const announce = (upstreams: (typeof ollama | typeof vllm)[] | null, at: string) =>
        store.announce(id, { upstreams, clientVersion: "1.0", at });
      const served = async () =>
        (await providers.list(ann)).map(({ record }) => record).filter(({ connectorId }) => connectorId === id);
      expect(await announce([ollama], AT)).toBe(true);
      expect(await announce([ollama], AT)).toBe(true);
      const [own] = await served();
      expect(own).toMatchObject({
        scope: "user",
        ownerUserId: ann.userId,
        kind: "ollama",
        displayName: "Ollama on attic",
        upstream: "ollama",
        route: "connector",
        credential: null,
        isEnabled: true,
      });
      expect((await providers.list(bob)).some(({ record }) => record.connectorId === id)).toBe(false);
      await announce([ollama, vllm], LATER);
      expect((await served()).map(({ displayName }) => displayName).toSorted()).toEqual([
        "Ollama on attic",
        "gpu-box on attic",
      ]);
      await providers.remove(ann, own?.id ?? "");
      await announce(null, "2026-11-21T10:06:00.000Z");
      expect(await store.find(ann, id)).toMatchObject({
        isOnline: false,
        upstreams: [ollama, vllm],
        lastSeenAt: "2026-11-21T10:06:00.000Z",
      });
      await announce([ollama, vllm], "2026-11-21T10:07:00.000Z");
      expect((await served()).map(({ upstream }) => upstream)).toEqual(["gpu-box"]);
      await announce([], "2026-11-21T10:08:00.000Z");
      await announce([ollama], "2026-11-21T10:09:00.000Z");
      expect((await served()).length).toBe(2);
      await announce(null, AT);
      expect(await store.find(ann, id)).toMatchObject({ isOnline: true, clientVersion: "1.0", upstreams: [ollama] });
      expect(await store.remove(ann, id)).toBe(true);
      expect(await served()).toEqual([]);
      expect(await announce([ollama], "2026-11-21T11:00:00.000Z")).toBe(false);
      expect(await served()).toEqual([]);
    });

    it("end with their account, and their instances with them", async () => {
      const { ann, bob } = await makeHouse(open());
      const store = connectors();
      const [anns, bobs] = [await make(ann, "attic"), await make(bob, "cellar")];
      for (const { id } of [anns, bobs]) await store.announce(id, { upstreams: [ollama], clientVersion: null, at: AT });
      await open().bareAuth.query('delete from auth."user" where id = $1', [ann.userId]);
      const left = await open().owner.query(
        "select connector_id as id from provider_instances where connector_id = any ($1)",
        [[anns.id, bobs.id]],
      );
      expect(left).toEqual([{ id: bobs.id }]);
      expect(await store.announce(anns.id, { upstreams: [ollama], clientVersion: null, at: LATER })).toBe(false);
    });

    it("are forgotten when nobody came in time, and a token that nobody traded with them", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      const store = connectors();
      const past = new Date(Date.now() - 2 * 3_600_000).toISOString();
      const soon = new Date(Date.now() + 60_000).toISOString();
      const never = await make(ann, "never", hash("t"), v7(), past);
      const waiting = await make(ann, "waiting", hash("t"), v7(), soon);
      const signedIn = await make(ann, "signed-in", null);
      const enrolled = await make(ann, "enrolled", hash("t"), v7(), past);
      await store.enrol(ann, enrolled.id, hash("s"), AT);
      await createMaintenance(rooms).sweepExpired(500);
      const ids = (await store.list(ann)).map(({ id }) => id);
      expect([never, waiting, signedIn, enrolled].map(({ id }) => ids.includes(id))).toEqual([false, true, true, true]);
      expect(await store.claim(enrolled.id, hash("t"), hash("x"), AT)).toBeNull();
      expect(await store.verify(enrolled.id, hash("s"))).not.toBeNull();
      expect(await store.claim(waiting.id, hash("t"), hash("x"), AT)).not.toBeNull();
    });
  });
}
