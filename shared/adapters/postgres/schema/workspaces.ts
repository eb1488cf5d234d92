import { index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { tenantColumns, time } from "./columns.ts";

/** What a workspace chose; without a row the defaults stand, as version 1. */
export const workspaceSettings = pgTable("workspace_settings", {
  ...tenantColumns,
  workspaceId: uuid("workspace_id").primaryKey(),
  visibility: tenantColumns.visibility.default("workspace"),
  defaultProviderId: text("default_provider_id"),
  defaultModel: text("default_model"),
  settings: jsonb("settings").$type<Record<string, unknown>>().notNull().default({}),
  version: integer("version").notNull().default(2),
  updatedAt: time("updated_at").notNull().defaultNow(),
});

/** First answers to `Idempotency-Key`s. A key is its user's own, in no workspace. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    ownerUserId: uuid("owner_user_id").notNull(),
    key: text("key").notNull(),
    fingerprint: text("fingerprint").notNull(),
    /** Null while the first request runs. */
    status: integer("status"),
    body: jsonb("body"),
    createdAt: time("created_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerUserId, table.key] }),
    index("idempotency_keys_age").on(table.createdAt),
  ],
);
