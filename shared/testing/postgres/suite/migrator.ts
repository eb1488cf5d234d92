import { describe, expect, it } from "vitest";
import { readMigrations } from "../../../../selfhost/database/read-migrations.ts";
import { NEWEST_MIGRATION } from "../../../adapters/postgres/check-database.ts";
import { type Migration, migrate } from "../../../adapters/postgres/migrator.ts";
import { MIGRATIONS_FOLDER, type TestDatabase } from "../test-database.ts";
import type { Rooms } from "./people.ts";

export function migratorSuite(database: () => TestDatabase, open: () => Rooms): void {
  const run = (...more: Migration[]) => {
    const { ownerUrl: databaseUrl, endpoint } = database();
    const steps: string[] = [];
    const migrations = [...readMigrations(MIGRATIONS_FOLDER), ...more];
    return migrate({ databaseUrl, endpoint, migrations, onStep: (name) => steps.push(name) });
  };
  const tables = async () =>
    (await open().owner.query("select tablename from pg_tables where tablename like 'trial%'")).map(
      (row) => row.tablename,
    );
  const recorded = async () =>
    Number((await open().owner.query("select count(*)::int as n from drizzle.__drizzle_migrations"))[0]?.n);
  const breakpoint = "\n--> statement-breakpoint\n";

  describe("the migrator", () => {
    it("knows the newest migration of the folder", () => {
      expect(readMigrations(MIGRATIONS_FOLDER).at(-1)?.when).toBe(NEWEST_MIGRATION);
    });

    it("does nothing the second time", async () => {
      expect(await run()).toEqual([]);
      expect(await recorded()).toBe(readMigrations(MIGRATIONS_FOLDER).length);
    });

    it("leaves nothing of a migration that fails, and names the file and the reason", async () => {
      const before = await recorded();
      const broken = {
        name: "0900_broken",
        when: NEWEST_MIGRATION + 1,
        sql: `create table trial_half (id int)${breakpoint}select 1/0`,
      };
      await expect(run(broken)).rejects.toThrow(
        "The migration 0900_broken.sql failed and nothing of it was applied: division by zero",
      );
      expect(await tables()).toEqual([]);
      expect(await recorded()).toBe(before);
    });

    it("applies a migration once when two run it at the same time", async () => {
      const good = {
        name: "0901_good",
        when: NEWEST_MIGRATION + 2,
        sql: `create table trial_good (id int)${breakpoint}insert into trial_good values (1)`,
      };
      const applied = await Promise.all([run(good), run(good), run(good)]);
      expect(applied.flat()).toEqual(["0901_good"]);
      expect(await open().owner.query("select id from trial_good")).toEqual([{ id: 1 }]);
      await open().owner.query("drop table trial_good");
      await open().owner.query("delete from drizzle.__drizzle_migrations where created_at > $1", [NEWEST_MIGRATION]);
    });
  });
}
