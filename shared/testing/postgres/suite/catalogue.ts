import { afterEach, describe, expect, it } from "vitest";
import type { Rooms } from "./people.ts";

/** Every table of the application and what is wrong with its row-level security, from Postgres' own catalogue. */
const PROBLEMS = `
  with tables as (
    select c.oid, c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
  ), policies as (
    select tablename as name, cmd, qual, with_check from pg_policies
    where schemaname = 'public' and permissive = 'PERMISSIVE' and roles && '{public,app_user}'
  ), commands (cmd, needs_using, needs_check) as (
    values ('SELECT', true, false), ('INSERT', false, true), ('UPDATE', true, true), ('DELETE', true, false)
  )
  select name, 'has row-level security off' as problem from tables where not enabled
  union all select name, 'is not forced on its owner' from tables where not forced
  union all select t.name, 'has no USING for ' || c.cmd from tables t cross join commands c
    where c.needs_using and not exists (select from policies p where p.name = t.name and p.cmd in (c.cmd, 'ALL') and p.qual is not null)
  union all select t.name, 'has no WITH CHECK for ' || c.cmd from tables t cross join commands c
    where c.needs_check and not exists (select from policies p where p.name = t.name and p.cmd in (c.cmd, 'ALL') and p.with_check is not null)
  union all select name, 'lets everyone through' from policies where 'true' in (qual, with_check)
  union all select name, 'does not ask who the user is' from policies
    where coalesce(qual, 'app.') !~ 'app\\.' or coalesce(with_check, 'app.') !~ 'app\\.'
  union all select t.name, 'gives app_user ' || right_name from tables t
    cross join unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) as right_name
    where has_table_privilege('app_user', t.oid, right_name)
  order by 1, 2`;

const TENANT_KEYS = `
  select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind = 'r'
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'conversation_id')
    and not exists (
      select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'public.conversations'::regclass
        and cardinality(k.conkey) = 4 and k.confupdtype = 'c' and k.confdeltype = 'c'
    )`;

export function catalogueSuite(open: () => Rooms): void {
  describe("the catalogue", () => {
    const bad = ["bad_open", "bad_unforced", "bad_unchecked", "bad_true", "bad_child"];
    afterEach(async () => {
      for (const table of bad) await open().owner.query(`drop table if exists public.${table}`);
    });

    it("has every table under row-level security, forced, with USING and WITH CHECK", async () => {
      expect(await open().owner.query(PROBLEMS)).toEqual([]);
      const tables = await open().owner.query("select count(*)::int as n from pg_tables where schemaname = 'public'");
      expect(Number(tables[0]?.n)).toBeGreaterThanOrEqual(8);
    });

    it("has every child of a conversation tied to it with its tenant", async () => {
      expect(await open().owner.query(TENANT_KEYS)).toEqual([]);
    });

    it("would show a table that lacks any of it", async () => {
      const { owner } = open();
      const guarded = (name: string) => [
        `create table public.${name} (id int, conversation_id uuid)`,
        `alter table public.${name} enable row level security`,
        `alter table public.${name} force row level security`,
      ];
      const mine = "conversation_id = app.user_id()";
      const statements = [
        "create table public.bad_open (id int)",
        ...guarded("bad_unforced").slice(0, 2),
        `create policy p on public.bad_unforced using (${mine}) with check (${mine})`,
        ...guarded("bad_unchecked"),
        `create policy p on public.bad_unchecked using (${mine})`,
        ...guarded("bad_true"),
        "create policy p on public.bad_true using (true) with check (true)",
        "create table public.bad_child (conversation_id uuid references public.conversations (id))",
      ];
      await owner.transaction(statements.map((statement) => owner.query(statement)));
      const found = (await owner.query(PROBLEMS)).map(({ name, problem }) => `${name} ${problem}`);
      expect(found).toEqual(
        expect.arrayContaining([
          "bad_open has row-level security off",
          "bad_open has no USING for SELECT",
          "bad_open has no WITH CHECK for INSERT",
          "bad_unforced is not forced on its owner",
          "bad_unchecked has no WITH CHECK for UPDATE",
          "bad_true lets everyone through",
        ]),
      );
      const untied = (await owner.query(TENANT_KEYS)).map(({ name }) => name);
      expect(untied).toEqual(expect.arrayContaining(["bad_child", "bad_true"]));
    });
  });
}
