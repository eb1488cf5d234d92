import { sql } from "drizzle-orm";
import * as z from "zod";
import { type CredentialVault, VaultError } from "../../ports/credential-vault.ts";
import type { Rotation } from "../../ports/provider-store.ts";
import type { Database } from "./database.ts";

const Sealed = z.array(
  z.object({
    id: z.string(),
    sealed: z.string(),
    provider_id: z.string(),
    kind: z.string(),
    scope: z.string(),
    workspace_id: z.string().nullable(),
    owner_user_id: z.string(),
  }),
);
type Sealed = z.infer<typeof Sealed>[number];

const Counts = z.array(z.object({ key_id: z.string(), secrets: z.coerce.number() }));

/**
 * Moves credentials under the newest key, each in a statement of its own and only over the text it was made from: stopped
 * anywhere, it goes on later where it was. What cannot be opened stays as it is and keeps nobody else from moving.
 */
export async function rewrapCredentials(database: Database, vault: CredentialVault, limit: number): Promise<Rotation> {
  let rewrapped = 0;
  let failed = 0;
  let after: string | null = null;
  while (rewrapped < limit) {
    const page: Sealed[] = await sealedElsewhere(database, vault.newestKey, after, limit - rewrapped);
    for (const credential of page) {
      const outcome = await rewrapOne(database, vault, credential);
      if (outcome === "moved") rewrapped += 1;
      if (outcome === "refused") failed += 1;
    }
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
  }
  const [held] = await database.unscoped((db) => [db.execute(sql`select * from app.secrets_by_key()`)]);
  const byKey = Object.fromEntries(Counts.parse(held.rows).map(({ key_id, secrets }) => [key_id, secrets]));
  const left = Object.entries(byKey).reduce((sum, [id, count]) => sum + (id === vault.newestKey ? 0 : count), 0);
  return { rewrapped, failed, left, byKey };
}

async function sealedElsewhere(database: Database, newest: string, after: string | null, atMost: number) {
  const [page] = await database.unscoped((db) => [
    db.execute(sql`select * from app.credentials_under_other_keys(${newest}, ${after}::uuid, ${atMost}::integer)`),
  ]);
  return Sealed.parse(page.rows);
}

async function rewrapOne(
  database: Database,
  vault: CredentialVault,
  { id, sealed, provider_id, kind, scope, workspace_id, owner_user_id }: Sealed,
): Promise<"moved" | "refused" | "changed meanwhile"> {
  const binding = { recordId: provider_id, kind, scope, workspaceId: workspace_id, ownerUserId: owner_user_id };
  let moved: string;
  try {
    moved = await vault.rewrap(sealed, binding);
  } catch (error) {
    if (error instanceof VaultError) return "refused";
    throw error;
  }
  const [done] = await database.unscoped((db) => [
    db.execute(sql`select app.reseal_credential(${id}::uuid, ${sealed}, ${moved}) as done`),
  ]);
  const [{ done: isMoved }] = z.tuple([z.object({ done: z.boolean() })]).parse(done.rows);
  return isMoved ? "moved" : "changed meanwhile";
}
