import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbeddedBackend } from "./embedded.ts";

const one = (query: string, ...params: string[]) => [{ query, params }];

describe("the embedded database", () => {
  let folder = "";
  let backend: EmbeddedBackend | undefined;
  const open = (): EmbeddedBackend => {
    if (!backend) throw new Error("the database was not opened");
    return backend;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mosaic-embedded-"));
    backend = await EmbeddedBackend.open(folder);
    await backend.run("owner", one("create table t (id int)"), null);
    await backend.run("owner", [...one("create role app_user"), ...one("grant select on t to app_user")], {});
  }, 60_000);
  afterAll(async () => {
    await backend?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("syncs to the disk at every commit", async () => {
    const before = open().syncs;
    for (let index = 0; index < 50; index += 1)
      await open().run("owner", one("insert into t values ($1)", String(index)), null);
    expect(open().syncs - before).toBeGreaterThanOrEqual(50);
  });

  it("makes a batch one transaction: a failure leaves nothing of it", async () => {
    const batch = [...one("insert into t values (-1)"), ...one("select 1 / 0")];
    await expect(open().run("owner", batch, {})).rejects.toMatchObject({
      message: "division by zero",
      fields: { code: "22012" },
    });
    const [found] = await open().run("owner", one("select count(*) from t where id = -1"), null);
    expect(found?.rows).toEqual([["0"]]);
  });

  it("begins every unit of work as its role, whatever the last one left behind", async () => {
    const leftovers = [
      "begin",
      "set session authorization postgres",
      "set search_path = nowhere",
      "reset session authorization",
    ];
    for (const leftover of leftovers) {
      await open().run("app_user", one(leftover), null);
      const [who] = await open().run(
        "app_user",
        one("select current_user::text, current_setting('search_path')"),
        null,
      );
      expect(who?.rows).toEqual([["app_user", "public"]]);
      await expect(open().run("app_user", one("insert into t values (1)"), null)).rejects.toMatchObject({
        fields: { code: "42501" },
      });
    }
  });

  it("loads pgvector", async () => {
    await open().run("owner", one("create extension if not exists vector"), null);
    const [found] = await open().run("owner", one("select '[1,2]'::vector <-> $1::vector", "[1,4]"), null);
    expect(found?.rows).toEqual([["2"]]);
  });

  it("honours what a batch asks of its transaction", async () => {
    const write = one("insert into t values (5)");
    await expect(open().run("owner", write, { readOnly: true })).rejects.toMatchObject({ fields: { code: "25006" } });
    const [level] = await open().run("owner", one("show transaction_isolation"), { isolationLevel: "SERIALIZABLE" });
    expect(level?.rows).toEqual([["serializable"]]);
  });

  it("has a whole cluster or none: what a killed first start left is thrown away", async () => {
    const other = await mkdtemp(join(tmpdir(), "mosaic-embedded-"));
    await mkdir(join(other, "cluster-draft-1"));
    await writeFile(join(other, "cluster-draft-1", "PG_VERSION"), "half");
    const opened = await EmbeddedBackend.open(other);
    expect(await readdir(other)).toEqual(["cluster"]);
    await opened.close();
    await rm(other, { recursive: true, force: true });
  }, 60_000);
});
