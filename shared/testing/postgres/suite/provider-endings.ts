import { v7 } from "uuid";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../../ports/credential-vault.ts";
import { join, type Rooms } from "./people.ts";
import { AT, makeHouse, newProvider, providersOf, recordOf, vault, withCode } from "./provider-people.ts";

const LATER = "2026-11-21T11:00:00.000Z";
const NO_HINTS = { credential: null, headers: {} };

export function providerEndingsSuite(open: () => Rooms): void {
  describe("provider instances in time", () => {
    it("hang on a machine of their maker's only, and go with it", async () => {
      const rooms = open();
      const { ann, bob } = await makeHouse(rooms);
      const store = providersOf(rooms);
      const machine = v7();
      await rooms.owner.query(
        "insert into connectors (id, owner_user_id, name, created_at) values ($1, $2, 'attic', now())",
        [machine, ann.userId],
      );
      const there = { connectorId: machine, upstream: "ollama", kind: "ollama", route: "connector" } as const;
      const plain = (who: typeof ann) => ({ record: recordOf(who, there), hints: NO_HINTS, at: AT });
      await expect(store.create(bob, plain(bob))).rejects.toThrow(withCode("not_found"));
      const mine = await store.create(ann, plain(ann));
      const bobs = await store.create(bob, await newProvider(bob));
      await expect(store.update(bob, bobs.record.id, { connectorId: machine, at: LATER })).rejects.toThrow(
        withCode("not_found"),
      );
      await rooms.owner.query("delete from connectors where id = $1", [machine]);
      expect(await store.find(ann, mine.record.id)).toBeNull();
    });

    it("end with their account or workspace, with their secrets; what a workspace has outlives who made it", async () => {
      const rooms = open();
      const { ann, mia, team } = await makeHouse(rooms);
      await join(rooms, mia, team, "admin");
      const store = providersOf(rooms);
      const [anns, mias] = [await newProvider(ann), await newProvider(mia)];
      const ours = await newProvider(mia, { scope: "workspace", workspaceId: team });
      const own = await newProvider(mia, { scope: "workspace", workspaceId: mia.personalWorkspaceId });
      await store.create(ann, anns);
      for (const made of [mias, ours, own]) await store.create(mia, made);
      const left = async () => {
        const ids = [anns, mias, ours, own].map(({ record }) => record.id);
        const rows = await rooms.owner.query(
          `select i.id, c.id as secret from provider_instances i join provider_credentials c on c.provider_id = i.id where i.id = any ($1)`,
          [ids],
        );
        return ids.map((id) => rows.some((row) => row.id === id));
      };
      await rooms.bareAuth.query('delete from auth."user" where id = $1', [mia.userId]);
      expect(await left()).toEqual([true, false, true, false]);
      expect(
        await vault.open(
          (await store.find(ann, ours.record.id))?.record.credential?.sealed ?? "",
          bindingOf(ours.record),
        ),
      ).toEqual({ apiKey: "sk-canary-abcdefgh" });
      await rooms.bareAuth.query("delete from auth.organization where id = $1", [team]);
      expect(await left()).toEqual([true, false, false, false]);
    });
  });
}
