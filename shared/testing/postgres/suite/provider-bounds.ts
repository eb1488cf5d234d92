import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { createConnectorStore } from "../../../adapters/postgres/connector-store.ts";
import { createStatusStore } from "../../../adapters/postgres/status-store.ts";
import type { Person, Rooms } from "./people.ts";
import { AT, healthRecord, makeHouse, newProvider, providersOf } from "./provider-people.ts";

type Place = { scope: "user" | "workspace" | "system"; workspaceId?: string };

export function providerBoundsSuite(open: () => Rooms): void {
  describe("the bounds on provider instances", () => {
    /** As many as there may be, less some. */
    const fill = async (who: Person, { scope, workspaceId }: Place, count: number): Promise<string[]> => {
      const ids = Array.from({ length: count }, () => v7());
      await open().owner.query(
        `insert into provider_instances (id, scope, workspace_id, owner_user_id, kind, display_name, route, is_default,
          is_enabled, created_at, updated_at)
        select entry.id, $2, $3, $4, 'openai', 'Filler', 'public', false, true, now(), now()
        from unnest($1::uuid[]) as entry (id)`,
        [ids, scope, workspaceId ?? null, who.userId],
      );
      return ids;
    };
    const bounded = (text: string) =>
      expect.objectContaining({ code: "forbidden", message: expect.stringMatching(new RegExp(`${text}.*Remove one`)) });

    it("hold for a person, also for many at once, and make room again; nobody else is held up by them", async () => {
      const rooms = open();
      const { ann, mia } = await makeHouse(rooms);
      const store = providersOf(rooms);
      await fill(ann, { scope: "user" }, 48);
      const made = await Promise.all([1, 2, 3, 4, 5].map(() => newProvider(ann)));
      const told = await Promise.allSettled(made.map((each) => store.create(ann, each)));
      expect(told.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
      const first = made[told.findIndex(({ status }) => status === "fulfilled")];
      if (!first) throw new Error("none was made");
      expect((await store.create(ann, first)).record.id).toBe(first.record.id);
      await expect(store.create(ann, await newProvider(ann))).rejects.toEqual(bounded("You have 50"));
      await store.create(mia, await newProvider(mia));
      await store.remove(ann, first.record.id);
      await store.create(ann, await newProvider(ann));
    });

    it("hold for a workspace and for everybody's", async () => {
      const rooms = open();
      const { ann, root, team } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const ours: Place = { scope: "workspace", workspaceId: team };
      await fill(ann, ours, 100);
      await expect(store.create(ann, await newProvider(ann, ours))).rejects.toEqual(bounded("This workspace has 100"));
      await store.create(ann, await newProvider(ann));
      const [held] = await rooms.owner.query(
        "select count(*)::int as n from provider_instances where scope = 'system'",
      );
      const fillers = await fill(root, { scope: "system" }, 100 - Number(held?.n));
      const everybodys = await newProvider(root, { scope: "system" });
      await expect(store.create(root, everybodys)).rejects.toEqual(bounded("There are 100"));
      await rooms.owner.query("delete from provider_instances where id = any ($1)", [fillers]);
    });

    it("hold for what a machine brings: it is connected all the same", async () => {
      const rooms = open();
      const { ann } = await makeHouse(rooms);
      await fill(ann, { scope: "user" }, 49);
      const connectors = createConnectorStore(rooms.app);
      const { id } = await connectors.create(ann, {
        id: v7(),
        name: "attic",
        tokenHash: null,
        tokenExpiresAt: null,
        at: AT,
      });
      const upstreams = ["a", "b", "c"].map((name) => ({ name, kind: "ollama" as const }));
      expect(await connectors.announce(id, { upstreams, clientVersion: "1.0", at: AT })).toBe(true);
      expect((await providersOf(rooms).list(ann)).filter(({ record }) => record.connectorId === id)).toHaveLength(1);
      expect(await connectors.find(ann, id)).toMatchObject({ isOnline: true });
    });

    it("leave others their probes: ten of one person's in a round, in turns", async () => {
      const rooms = open();
      const { ann, bob } = await makeHouse(rooms);
      const status = createStatusStore(rooms.app);
      const anns = await fill(ann, { scope: "user" }, 14);
      const bobs = await fill(bob, { scope: "user" }, 2);
      for (const id of [...anns, ...bobs]) await status.saveHealth(id, healthRecord(1), { used: true });
      for (const id of anns) await status.saveList(id, [], "1998-01-01T00:00:00.000Z");
      for (const id of bobs) await status.saveList(id, [], "1998-01-02T00:00:00.000Z");
      const since = { askedBefore: "1998-02-01T00:00:00.000Z", at: "1998-02-02T00:00:00.000Z" };
      const usedAfter = new Date(Date.now() - 3_600_000).toISOString();
      const { stored } = await status.claimDue([], { ...since, usedAfter }, 1_000);
      const owners = stored.filter(({ id }) => [...anns, ...bobs].includes(id)).map(({ ownerUserId }) => ownerUserId);
      expect(owners.filter((owner) => owner === ann.userId)).toHaveLength(10);
      expect(new Set(owners.slice(0, 2)).size + new Set(owners.slice(2, 4)).size).toBe(4);
    });
  });
}
