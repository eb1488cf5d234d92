import { v7 } from "uuid";
import { beforeEach, describe, expect, it } from "vitest";
import { createCredentialVault } from "../../../adapters/crypto/credential-vault.ts";
import { createLoginStore } from "../../../adapters/postgres/login-store.ts";
import { createProviderStore } from "../../../adapters/postgres/provider-store.ts";
import type { ProviderRecord } from "../../../domain/providers/provider-record.ts";
import { bindingOf, type CredentialVault } from "../../../ports/credential-vault.ts";
import type { Person, Rooms } from "./people.ts";
import { AT, makeHouse, newProvider, providersOf, ringKey, withCode } from "./provider-people.ts";

const OLD = `k1:${ringKey(1)}`;
const NEW = `k2:${ringKey(2)}`;
const before = createCredentialVault(OLD);
const both = createCredentialVault(`${NEW},${OLD}`);
const after = createCredentialVault(NEW);
const SECRET = { apiKey: "sk-canary-abcdefgh" };

export function rotationSuite(open: () => Rooms): void {
  describe("the rotation of keys", () => {
    beforeEach(async () => {
      await open().owner.query("delete from provider_instances");
      await open().owner.query("delete from provider_logins");
    });

    /** Credentials of two people, the workspace's and the system's, under the old key. */
    async function filled(count = 4, sealer: CredentialVault = before) {
      const rooms = open();
      const { ann, mia, root, team } = await makeHouse(rooms);
      const kinds = [
        [ann, {}],
        [mia, { kind: "anthropic" }],
        [ann, { scope: "workspace", workspaceId: team }],
        [root, { scope: "system" }],
      ] as const;
      const made: { who: Person; record: ProviderRecord }[] = [];
      for (let index = 0; index < count; index += 1) {
        const [who, more] = kinds[index % kinds.length] ?? kinds[0];
        const { record } = await providersOf(rooms).create(
          who,
          await newProvider(who, more, { sealer, secret: SECRET }),
        );
        made.push({ who, record });
      }
      const opened = async (vault: CredentialVault) =>
        Promise.all(
          made.map(async ({ who, record }) => {
            const sealed = (await providersOf(rooms).find(who, record.id))?.record.credential?.sealed ?? "";
            return vault.open(sealed, bindingOf(record)).catch(() => "refused");
          }),
        );
      return { rooms, made, opened, ann };
    }

    it("moves every credential under the newest key, counted by key, and then the old key may go", async () => {
      const { rooms, opened, made } = await filled();
      const versions = async () => rooms.owner.query("select id, version from provider_credentials order by id");
      const atFirst = await versions();
      const store = providersOf(rooms, both);
      expect(await store.rewrap(3)).toEqual({ rewrapped: 3, failed: 0, left: 1, byKey: { k1: 1, k2: 3 } });
      expect(await opened(both)).toEqual(made.map(() => SECRET));
      expect(await store.rewrap(100)).toEqual({ rewrapped: 1, failed: 0, left: 0, byKey: { k2: 4 } });
      expect(await store.rewrap(100)).toEqual({ rewrapped: 0, failed: 0, left: 0, byKey: { k2: 4 } });
      expect(await opened(after)).toEqual(made.map(() => SECRET));
      expect(await versions()).toEqual(atFirst);
    });

    it("goes on where it was cut off, and nothing is lost meanwhile", async () => {
      const { rooms, opened, made } = await filled(6);
      let statements = 0;
      const dying: Rooms["app"] = {
        ...rooms.app,
        unscoped: async (build) => {
          statements += 1;
          if (statements > 3) throw new Error("the process ended here");
          return rooms.app.unscoped(build);
        },
      };
      await expect(createProviderStore(dying, both).rewrap(100)).rejects.toThrow("the process ended here");
      expect(await opened(both)).toEqual(made.map(() => SECRET));
      const halves = await Promise.all([providersOf(rooms, both).rewrap(100), providersOf(rooms, both).rewrap(100)]);
      expect(halves.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(4);
      expect(await opened(after)).toEqual(made.map(() => SECRET));
    });

    it("leaves what it cannot open, tells how many, and moves everything else, whatever the limit", async () => {
      const foreign = createCredentialVault(`k0:${ringKey(9)}`);
      const lost = await filled(3, foreign);
      const fine = await filled(2);
      await lost.rooms.owner.query(
        `update provider_credentials set sealed = overlay(sealed placing 'AAAA' from length(sealed) - 3)
         where provider_id = $1`,
        [fine.made[0]?.record.id],
      );
      const store = providersOf(lost.rooms, both);
      expect(await store.rewrap(1)).toMatchObject({ rewrapped: 1, failed: 3 });
      expect(await store.rewrap(1)).toMatchObject({ rewrapped: 1, byKey: { k0: 3, k2: 2 }, left: 3 });
      expect(await store.rewrap(500)).toEqual({ rewrapped: 0, failed: 3, left: 3, byKey: { k0: 3, k2: 2 } });
      expect(await lost.opened(foreign)).toEqual(lost.made.map(() => SECRET));
      expect(await fine.opened(after)).toEqual(["refused", SECRET]);
    });

    it("does not write over a secret that somebody saved meanwhile", async () => {
      const { rooms, made, opened } = await filled(1);
      const [{ who, record }] = made as [(typeof made)[number]];
      const credential = record.credential;
      if (!credential) throw new Error("no credential was stored");
      const slow: CredentialVault = {
        ...both,
        rewrap: async (sealed, binding) => {
          const moved = await both.rewrap(sealed, binding);
          const saved = { ...credential, sealed: await both.seal({ apiKey: "newer" }, binding), version: 2 };
          await providersOf(rooms).update(who, record.id, { credential: saved, at: AT });
          return moved;
        },
      };
      expect(await providersOf(rooms, slow).rewrap(10)).toMatchObject({ rewrapped: 0, failed: 0, left: 0 });
      expect(await opened(after)).toEqual([{ apiKey: "newer" }]);
    });

    it("counts logins that are under way, and no longer once they ended", async () => {
      const { rooms, ann } = await filled(1, both);
      const logins = createLoginStore(rooms.app);
      const login = {
        id: v7(),
        kind: "openai",
        method: "device",
        scope: "user",
        workspaceId: null,
        ownerUserId: ann.userId,
        displayName: null,
        providerId: null,
        state: "pending",
        stateHash: null,
        sealed: "v1.k1.a.b.c",
        error: null,
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
        pollAfter: null,
        intervalSeconds: 5,
      } as const;
      await logins.create(ann, login);
      expect(await providersOf(rooms, both).rewrap(10)).toMatchObject({ left: 1, byKey: { k1: 1, k2: 1 } });
      await logins.settle(ann, login.id, { state: "failed", providerId: null, error: "x" });
      expect(await providersOf(rooms, both).rewrap(10)).toMatchObject({ left: 0, byKey: { k2: 1 } });
    });

    it("is for app_user alone, and its functions give nothing that can be opened without the keys", async () => {
      const { rooms } = await filled(1);
      await expect(
        rooms.bareAuth.query("select * from app.credentials_under_other_keys('x', null, 10)"),
      ).rejects.toThrow(withCode("42501"));
      const rows = await rooms.bare.query("select * from app.credentials_under_other_keys('x', null, 10)");
      expect(JSON.stringify(rows)).not.toContain("canary");
      expect(
        await rooms.bare.query("select app.reseal_credential($1, 'guess', 'mine') as done", [rows[0]?.id]),
      ).toEqual([{ done: false }]);
    });
  });

  describe("functions that act on nobody's behalf", () => {
    it("have an empty search path, and no right for everyone", async () => {
      const loose = await open().owner.query(
        `select proname from pg_proc join pg_namespace n on n.oid = pronamespace
         where n.nspname = 'app' and (
           (prosecdef and not coalesce(proconfig, '{}') @> array['search_path=""'])
           or exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0))`,
      );
      expect(loose).toEqual([]);
    });
  });
}
