import { neon } from "@neondatabase/serverless";
import { v7 as newId } from "uuid";
import { inject } from "vitest";
import { createDatabase } from "../../adapters/postgres/database.ts";
import type { WorkspaceRole } from "../../contract/account.ts";
import type { Principal } from "../../domain/access/principal.ts";
import { aPrincipal } from "../builders.ts";

/** SQL as the owner of the test database, past row-level security. */
export function ownerSql() {
  const connectionString = inject("databaseOwnerUrl");
  createDatabase({ connectionString, endpoint: inject("databaseEndpoint") }); // tells the driver where to post
  return neon(connectionString);
}

export async function aWorkspace(): Promise<string> {
  const id = newId();
  await ownerSql()`insert into auth.organization (id, name, slug) values (${id}, 'Test', ${id})`;
  return id;
}

/** The same person, signed in once more. */
export async function anotherSignIn(person: Principal): Promise<Principal> {
  const credentialId = newId();
  await ownerSql()`
    insert into auth.session (id, token, user_id, expires_at)
    values (${credentialId}, ${newId()}, ${person.userId}, now() + interval '1 day')`;
  return { ...person, credentialId };
}

/** An account that exists and is signed in, as a member of these workspaces. */
export async function aPerson(...workspaces: { id: string; role: WorkspaceRole }[]): Promise<Principal> {
  const principal = aPrincipal({ userId: newId(), workspaces });
  const sql = ownerSql();
  const { userId } = principal;
  await sql`insert into auth."user" (id, name, email) values (${userId}, 'Ada', ${`${userId}@example.com`})`;
  for (const workspace of workspaces) {
    await sql`insert into auth.member (id, organization_id, user_id, role) values (${newId()}, ${workspace.id}, ${userId}, ${workspace.role})`;
  }
  return await anotherSignIn(principal);
}
