import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { expect, it } from "vitest";
import { readMigrations } from "../../../selfhost/database/read-migrations.ts";
import * as columns from "./schema/columns.ts";
import * as conversations from "./schema/conversations.ts";
import * as jobs from "./schema/jobs.ts";
import * as providers from "./schema/providers.ts";
import * as signIn from "./schema/sign-in.ts";
import * as workspaces from "./schema/workspaces.ts";

const FOLDER = join(import.meta.dirname, "../../../migrations");

it("has a migration for everything in the schema", async () => {
  const last = readMigrations(FOLDER).at(-1)?.name.slice(0, 4);
  const snapshot = JSON.parse(await readFile(join(FOLDER, "meta", `${last}_snapshot.json`), "utf8"));
  const schema = { ...columns, ...conversations, ...jobs, ...providers, ...signIn, ...workspaces };
  const now = generateDrizzleJson(schema, snapshot.id, ["public", "auth"]);
  expect(await generateMigration(snapshot, now)).toEqual([]);
});
