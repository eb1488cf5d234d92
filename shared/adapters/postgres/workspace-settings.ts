import { eq, sql } from "drizzle-orm";
import * as z from "zod";
import type { UpdateWorkspaceSettings, WorkspaceSettings } from "../../contract/account.ts";
import { AppError } from "../../domain/app-error.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import type { Database, Drizzle } from "./database.ts";
import { workspaceSettings } from "./schema/workspaces.ts";

const defaultsOf = (workspaceId: string): WorkspaceSettings => ({
  workspaceId,
  defaultProviderId: null,
  defaultModel: null,
  settings: {},
  version: 1,
});

const columns = {
  workspaceId: workspaceSettings.workspaceId,
  defaultProviderId: workspaceSettings.defaultProviderId,
  defaultModel: workspaceSettings.defaultModel,
  settings: workspaceSettings.settings,
  version: workspaceSettings.version,
};

const stored = (db: Drizzle, workspaceId: string) =>
  db.select(columns).from(workspaceSettings).where(eq(workspaceSettings.workspaceId, workspaceId));

const standing = (db: Drizzle, workspaceId: string) =>
  db.execute(sql`
    select ${workspaceId}::uuid = any (app.workspaces()) as belongs,
      ${workspaceId}::uuid = any (app.administered_workspaces()) as administers`);

const Standing = z.tuple([z.object({ belongs: z.boolean(), administers: z.boolean() })]).transform(([row]) => row);

export async function readSettings(
  database: Database,
  scope: Scope,
  workspaceId: string,
): Promise<WorkspaceSettings | null> {
  const [who, rows] = await database.scoped(scope, (db) => [standing(db, workspaceId), stored(db, workspaceId)]);
  return Standing.parse(who.rows).belongs ? (rows[0] ?? defaultsOf(workspaceId)) : null;
}

export async function updateSettings(
  database: Database,
  scope: Scope,
  workspaceId: string,
  changes: UpdateWorkspaceSettings,
  ifVersion: number | undefined,
): Promise<WorkspaceSettings | null> {
  const [who, rows] = await database.scoped(scope, (db) => [standing(db, workspaceId), stored(db, workspaceId)]);
  const { belongs, administers } = Standing.parse(who.rows);
  if (!belongs) return null;
  if (!administers) throw new AppError("forbidden", "Only an owner or admin of the workspace may change its settings.");
  const version = rows[0]?.version ?? 1;
  if (ifVersion !== undefined && ifVersion !== version) throw stale(version);

  const { settings, ...plain } = changes;
  const [written] = await database.scoped(scope, (db) => [
    db
      .insert(workspaceSettings)
      .values({ workspaceId, ownerUserId: scope.userId, ...plain, settings: settings ?? {} })
      .onConflictDoUpdate({
        target: workspaceSettings.workspaceId,
        set: {
          ...plain,
          ...(settings ? { settings: sql`${workspaceSettings.settings} || ${JSON.stringify(settings)}::jsonb` } : {}),
          version: sql`${workspaceSettings.version} + 1`,
          updatedAt: sql`now()`,
        },
        ...(ifVersion === undefined ? {} : { setWhere: eq(workspaceSettings.version, ifVersion) }),
      })
      .returning(columns),
  ]);
  const saved = written[0];
  if (!saved) throw stale(null);
  return saved;
}

const stale = (version: number | null): AppError =>
  new AppError(
    "version_conflict",
    `The settings were changed since you read them${version === null ? "" : `; they are at version ${version} now`}. Read them again.`,
  );
