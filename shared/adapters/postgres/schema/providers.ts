import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import type { Upstream } from "../../../contract/connector.ts";
import type { ConnectableKind, ProviderScope } from "../../../contract/provider.ts";
import type { HealthRecord } from "../../../domain/providers/health.ts";
import type { Route } from "../../../domain/providers/provider-record.ts";
import type { CatalogueModel, ModelFacts } from "../../../domain/providers/turn-configuration.ts";
import { time } from "./columns.ts";

/** A foreign key with a null in it is never checked: where no workspace is meant, this stands in its place. */
const NOWHERE = sql.raw("coalesce(workspace_id, '00000000-0000-0000-0000-000000000000'::uuid)");

/** Who may use a row: everyone here, the members of one workspace, or its owner alone. The owner is who made it. */
const scopeColumns = {
  scope: text("scope").$type<ProviderScope>().notNull(),
  workspaceId: uuid("workspace_id"),
  workspaceKey: uuid("workspace_key").notNull().generatedAlwaysAs(NOWHERE),
  ownerUserId: uuid("owner_user_id").notNull(),
};

const scopeIsWhole = (name: string) =>
  check(
    `${name}_scope`,
    sql.raw("scope in ('system', 'workspace', 'user') and (scope = 'workspace') = (workspace_id is not null)"),
  );

/** A machine that dials in. Hashes are SHA-256 in hex; neither the token nor the secret is here. */
export const connectors = pgTable(
  "connectors",
  {
    id: uuid("id").primaryKey(),
    ownerUserId: uuid("owner_user_id").notNull(),
    name: text("name").notNull(),
    tokenHash: text("token_hash"),
    tokenExpiresAt: time("token_expires_at"),
    /** The secret that this token was traded for: the same pair may come again. */
    tokenSecretHash: text("token_secret_hash"),
    secretHash: text("secret_hash"),
    upstreams: jsonb("upstreams").$type<Upstream[]>().notNull().default([]),
    clientVersion: text("client_version"),
    isOnline: boolean("is_online").notNull().default(false),
    lastSeenAt: time("last_seen_at"),
    createdAt: time("created_at").notNull(),
  },
  (table) => [
    unique("connectors_name").on(table.ownerUserId, table.name),
    // What an instance's foreign key points at: nobody's instance hangs on another's machine.
    unique("connectors_owner").on(table.id, table.ownerUserId),
  ],
);

export const providerInstances = pgTable(
  "provider_instances",
  {
    id: uuid("id").primaryKey(),
    ...scopeColumns,
    /** Whose account's end is its end; a workspace's or the system's outlives who made it. */
    userId: uuid("user_id").generatedAlwaysAs(sql.raw("case when scope = 'user' then owner_user_id end")),
    kind: text("kind").$type<ConnectableKind>().notNull(),
    displayName: text("display_name").notNull(),
    baseUrl: text("base_url"),
    connectorId: uuid("connector_id"),
    upstream: text("upstream"),
    route: text("route").$type<Route>().notNull(),
    isDefault: boolean("is_default").notNull(),
    isEnabled: boolean("is_enabled").notNull(),
    credentialHint: text("credential_hint"),
    headerHints: jsonb("header_hints").$type<Record<string, string | null>>().notNull().default({}),
    version: integer("version").notNull().default(1),
    createdAt: time("created_at").notNull(),
    updatedAt: time("updated_at").notNull(),
  },
  (table) => [
    unique("provider_instances_tenant").on(table.id, table.scope, table.workspaceKey, table.ownerUserId),
    index("provider_instances_place").on(table.scope, table.workspaceKey),
    index("provider_instances_user").on(table.userId),
    index("provider_instances_connector").on(table.connectorId),
    uniqueIndex("provider_instances_default")
      .on(table.scope, table.workspaceKey, sql.raw("coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)"))
      .where(sql.raw("is_default")),
    scopeIsWhole("provider_instances"),
    foreignKey({
      name: "provider_instances_connector",
      columns: [table.connectorId, table.ownerUserId],
      foreignColumns: [connectors.id, connectors.ownerUserId],
    }).onDelete("cascade"),
  ],
);

/** Secrets under the key ring, apart from what may be listed. */
export const providerCredentials = pgTable(
  "provider_credentials",
  {
    id: uuid("id").primaryKey(),
    providerId: uuid("provider_id").notNull().unique("provider_credentials_one"),
    ...scopeColumns,
    sealed: text("sealed").notNull(),
    /** Of the ring's key that it needs: a key may go when none is left under it. */
    keyId: text("key_id").notNull().generatedAlwaysAs(sql.raw("split_part(sealed, '.', 2)")),
    method: text("method").$type<"api-key" | "oauth">(),
    expiresAt: time("expires_at"),
    version: integer("version").notNull().default(1),
    updatedAt: time("updated_at").notNull(),
  },
  (table) => [
    index("provider_credentials_key").on(table.keyId, table.id),
    scopeIsWhole("provider_credentials"),
    foreignKey({
      name: "provider_credentials_provider",
      columns: [table.providerId, table.scope, table.workspaceKey, table.ownerUserId],
      foreignColumns: [
        providerInstances.id,
        providerInstances.scope,
        providerInstances.workspaceKey,
        providerInstances.ownerUserId,
      ],
    }).onDelete("cascade"),
  ],
);

/** What is known of an instance beside its record: also of the environment's, which have no row. */
export const providerStatus = pgTable(
  "provider_status",
  {
    providerId: uuid("provider_id").primaryKey(),
    /** Null for the environment's; the others go with their instance. */
    instanceId: uuid("instance_id").generatedAlwaysAs(
      sql.raw("case when provider_id::text not like '00000000-0000-7000-8000-%' then provider_id end"),
    ),
    health: jsonb("health").$type<HealthRecord>(),
    checkedAt: time("checked_at"),
    /** When real traffic last went there. */
    usedAt: time("used_at"),
    /** When somebody last took it on to probe it. */
    askedAt: time("asked_at"),
    listed: jsonb("listed").$type<ModelFacts[]>(),
    /** From one sequence for all: no two lists ever have the same. */
    listVersion: bigint("list_version", { mode: "number" }),
    listedAt: time("listed_at"),
  },
  (table) => [
    index("provider_status_instance").on(table.instanceId),
    index("provider_status_used").on(table.usedAt),
    foreignKey({
      name: "provider_status_instance",
      columns: [table.instanceId],
      foreignColumns: [providerInstances.id],
    }).onDelete("cascade"),
  ],
);

/** Facts of models, whoever serves them; seeded by the migrator. */
export const catalogueModels = pgTable(
  "catalogue_models",
  {
    provider: text("provider").$type<CatalogueModel["provider"]>().notNull(),
    id: text("id").notNull(),
    facts: jsonb("facts").$type<CatalogueModel>().notNull(),
    /** In order of preference. */
    position: integer("position").notNull(),
    /** Grows with every change of any row; the greatest is the catalogue's version. */
    revision: bigint("revision", { mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.id] }),
    index("catalogue_models_revision").on(table.revision),
  ],
);

/** Logins at vendors that have begun. The verifier or device code is sealed. */
export const providerLogins = pgTable(
  "provider_logins",
  {
    id: uuid("id").primaryKey(),
    scope: scopeColumns.scope,
    workspaceId: scopeColumns.workspaceId,
    ownerUserId: scopeColumns.ownerUserId,
    kind: text("kind").$type<ConnectableKind>().notNull(),
    method: text("method").$type<"redirect" | "device">().notNull(),
    displayName: text("display_name"),
    providerId: uuid("provider_id"),
    state: text("state").$type<"pending" | "complete" | "failed">().notNull(),
    stateHash: text("state_hash").unique("provider_logins_state"),
    sealed: text("sealed").notNull(),
    error: text("error"),
    expiresAt: time("expires_at").notNull(),
    pollAfter: time("poll_after"),
    intervalSeconds: integer("interval_seconds"),
  },
  (table) => [
    index("provider_logins_owner").on(table.ownerUserId),
    index("provider_logins_expiry").on(table.expiresAt),
    scopeIsWhole("provider_logins"),
  ],
);
