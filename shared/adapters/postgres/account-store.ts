import { asc, eq, sql } from "drizzle-orm";
import { v7 } from "uuid";
import * as z from "zod";
import { type Workspace, WorkspaceRole } from "../../contract/account.ts";
import { Id } from "../../contract/primitives.ts";
import type { AccountStore } from "../../ports/account-store.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import type { Database } from "./database.ts";
import { personalWorkspaceId } from "./personal-workspace.ts";
import { instanceAdmin, member, organization } from "./schema/sign-in.ts";
import { readSettings, updateSettings } from "./workspace-settings.ts";

/** `app` reads tenant tables on the user's behalf, `auth` the sign-in tables, which `app` cannot see. */
export interface AccountDatabases {
  app: Database;
  auth: Database;
}

export function createAccountStore({ app, auth }: AccountDatabases): AccountStore {
  return {
    workspaces: (user) => workspaces(auth, user),
    createWorkspace: (scope, name, id) => createWorkspace(auth, scope, name, id),
    isInstanceAdmin: async (userId) => {
      const [rows] = await auth.unscoped((db) => [
        db.select({ userId: instanceAdmin.userId }).from(instanceAdmin).where(eq(instanceAdmin.userId, userId)),
      ]);
      return rows.length > 0;
    },
    settings: (scope, workspaceId) => readSettings(app, scope, workspaceId),
    updateSettings: (scope, workspaceId, changes, ifVersion) =>
      updateSettings(app, scope, workspaceId, changes, ifVersion),
    recordAttachment: async (scope, conversationId, credentialId) => {
      const [recorded] = await app.scoped(scope, (db) => [
        db.execute(sql`
          insert into session_attachments (conversation_id, workspace_id, owner_user_id, visibility, credential_id,
            attached_user_id, attached_at)
          select id, workspace_id, owner_user_id, visibility, ${credentialId}, ${scope.userId}::uuid, now()
          from conversations where id = ${conversationId} and app.credential_is_live(${credentialId})
          on conflict (conversation_id, credential_id) do update set attached_at = excluded.attached_at
          returning workspace_id = any(app.editable_workspaces()) as "mayWrite"`),
      ]);
      const [row] = z.array(z.object({ mayWrite: z.boolean() })).parse(recorded.rows);
      if (!row) return "none";
      return row.mayWrite ? "write" : "read";
    },
    removeAttachment: async (scope, conversationId, credentialId) => {
      await app.scoped(scope, (db) => [
        db.execute(sql`
          delete from session_attachments where conversation_id = ${conversationId} and credential_id = ${credentialId}`),
      ]);
    },
    attachments: async (by) => {
      const [credential, user, workspace] =
        "credentialId" in by ? [by.credentialId, null, null] : [null, by.userId, by.workspaceId ?? null];
      const [found] = await app.unscoped((db) => [
        db.execute(
          sql`select app.attached_conversations(${credential}::text, ${user}::uuid, ${workspace}::uuid) as id`,
        ),
      ]);
      return z
        .array(z.object({ id: Id }))
        .parse(found.rows)
        .map(({ id }) => id);
    },
  };
}

async function workspaces(auth: Database, user: { id: string; name: string }): Promise<Workspace[]> {
  const found = await memberships(auth, user.id);
  if (found.some(({ personal }) => personal)) return found;
  await makePersonalWorkspace(auth, user);
  return memberships(auth, user.id);
}

async function memberships(auth: Database, userId: string): Promise<Workspace[]> {
  const [rows] = await auth.unscoped((db) => [
    db
      .select({
        id: organization.id,
        name: organization.name,
        slug: organization.slug,
        personalUserId: organization.personalUserId,
        role: member.role,
      })
      .from(member)
      .innerJoin(organization, eq(organization.id, member.organizationId))
      .where(eq(member.userId, userId))
      .orderBy(
        sql`${organization.personalUserId} = ${userId} desc nulls last`,
        asc(member.createdAt),
        asc(organization.id),
      ),
  ]);
  return rows.map(({ personalUserId, role, ...rest }) => ({
    ...rest,
    personal: personalUserId === userId,
    role: WorkspaceRole.parse(role),
  }));
}

/** Two requests may do this at once: the id is the same for both, and the second finds everything there. */
async function makePersonalWorkspace(auth: Database, user: { id: string; name: string }): Promise<void> {
  const id = personalWorkspaceId(user.id);
  await auth.unscoped((db) => [
    db
      .insert(organization)
      .values({ id, name: user.name.trim() || "Personal", slug: `personal-${user.id}`, personalUserId: user.id })
      .onConflictDoNothing(),
    db.execute(sql`
      insert into auth.member (id, organization_id, user_id, role)
      select ${v7()}::uuid, id, ${user.id}::uuid, 'owner' from auth.organization where personal_user_id = ${user.id}::uuid
      on conflict (organization_id, user_id) do nothing`),
  ]);
}

async function createWorkspace(auth: Database, scope: Scope, name: string, id: string): Promise<Workspace> {
  const words = name
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const slug = `${words || "workspace"}-${id.slice(-8)}`;
  await auth.unscoped((db) => [
    db.insert(organization).values({ id, name, slug }).onConflictDoNothing(),
    db
      .insert(member)
      .values({ id: v7(), organizationId: id, userId: scope.userId, role: "owner" })
      .onConflictDoNothing(),
  ]);
  return { id, name, slug, personal: false, role: "owner" };
}
