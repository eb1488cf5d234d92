import { v7 } from "uuid";
import { expect } from "vitest";
import { createCredentialVault } from "../../../adapters/crypto/credential-vault.ts";
import { createAccountStore } from "../../../adapters/postgres/account-store.ts";
import { createProviderStore } from "../../../adapters/postgres/provider-store.ts";
import type { HealthRecord } from "../../../domain/providers/health.ts";
import type { ProviderRecord, ProviderSecret } from "../../../domain/providers/provider-record.ts";
import { bindingOf, type CredentialVault } from "../../../ports/credential-vault.ts";
import type { NewProvider, ProviderStore } from "../../../ports/provider-store.ts";
import { join, makePerson, type Person, type Rooms } from "./people.ts";

export const ringKey = (fill: number): string => Buffer.alloc(32, fill).toString("base64");
export const vault = createCredentialVault(`k1:${ringKey(1)}`);
export const withCode = (code: string) => expect.objectContaining({ code });
export const AT = "2026-11-21T10:00:00.000Z";

export const providersOf = ({ app }: Rooms, with_: CredentialVault = vault): ProviderStore =>
  createProviderStore(app, with_);

/** Two people, each with a workspace of their own, who share a third: Ann owns it, Mia is a member. Bob is in none. */
export async function makeHouse(rooms: Rooms) {
  const [ann, mia, bob, root] = await Promise.all(["Ann", "Mia", "Bob", "Root"].map((name) => makePerson(rooms, name)));
  if (!ann || !mia || !bob || !root) throw new Error("nobody came");
  const team = (await createAccountStore(rooms).createWorkspace(ann, "Team", v7())).id;
  await join(rooms, mia, team, "member");
  await makeInstanceAdmin(rooms, root);
  return { ann, mia, bob, root, team };
}

/** There is one place for an instance admin: whoever held it gives it up. */
export async function makeInstanceAdmin(rooms: Rooms, person: Person): Promise<void> {
  await rooms.owner.query("delete from auth.instance_admin");
  await rooms.owner.query("insert into auth.instance_admin (user_id) values ($1)", [person.userId]);
}

export function recordOf(owner: Person, more: Partial<ProviderRecord> = {}): ProviderRecord {
  return {
    id: v7(),
    kind: "openai",
    displayName: "Mine",
    scope: "user",
    workspaceId: null,
    ownerUserId: owner.userId,
    baseUrl: null,
    connectorId: null,
    upstream: null,
    route: "public",
    credential: null,
    isDefault: false,
    isEnabled: true,
    source: "stored",
    version: 1,
    ...more,
  };
}

/** A new instance with a sealed secret. */
export async function newProvider(
  owner: Person,
  more: Partial<ProviderRecord> = {},
  {
    secret = { apiKey: "sk-canary-abcdefgh" },
    sealer = vault,
  }: { secret?: ProviderSecret; sealer?: CredentialVault } = {},
): Promise<NewProvider> {
  const record = recordOf(owner, more);
  const sealed = await sealer.seal(secret, bindingOf(record));
  const credential = { id: v7(), sealed, method: "api-key" as const, expiresAtMs: null, version: 1 };
  return { record: { ...record, credential }, hints: { credential: "…efgh", headers: {} }, at: AT };
}

export const healthRecord = (version: number, more: Partial<HealthRecord> = {}): HealthRecord => ({
  state: "healthy",
  sinceMs: 1_000,
  checkedAtMs: Date.parse(AT),
  latencyMs: 12,
  lastError: null,
  lastErrorKind: null,
  failures: 0,
  lastFailureAtMs: null,
  openUntilMs: null,
  trialUntilMs: null,
  ofVersion: 1,
  version,
  ...more,
});
