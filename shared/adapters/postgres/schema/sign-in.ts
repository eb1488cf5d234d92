/**
 * Tables of the sign-in system, in a Postgres schema of their own so that the application's role can be kept away
 * from credentials. Keys of each table are the field names better-auth uses; its models are listed in
 * `signInTables`, and a test compares them with what the configured plugins expect.
 */
import { sql } from "drizzle-orm";
import { bigint, boolean, check, index, integer, pgSchema, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";

export const auth = pgSchema("auth");

const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });
const createdAt = () => at("created_at").notNull().defaultNow();
const updatedAt = () => at("updated_at").notNull().defaultNow();

export const user = auth.table("user", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text("image"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
});

const userId = (name = "user_id") => uuid(name).references(() => user.id, { onDelete: "cascade" });

/** A workspace. `personalUserId` is set on the one workspace that belongs to an account for life, made lazily. */
export const organization = auth.table("organization", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  slug: text("slug").notNull().unique(),
  logo: text("logo"),
  metadata: text("metadata"),
  personalUserId: userId("personal_user_id").unique(),
  createdAt: createdAt(),
});

const organizationId = () =>
  uuid("organization_id")
    .notNull()
    .references(() => organization.id, { onDelete: "cascade" });

export const session = auth.table(
  "session",
  {
    id: uuid("id").primaryKey(),
    token: text("token").notNull().unique(),
    userId: userId().notNull(),
    expiresAt: at("expires_at").notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    activeOrganizationId: uuid("active_organization_id").references(() => organization.id, { onDelete: "set null" }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    index("session_user_id_index").on(table.userId),
    index("session_active_organization_id_index").on(table.activeOrganizationId),
    index("session_expires_at_index").on(table.expiresAt),
  ],
);

export const account = auth.table(
  "account",
  {
    id: uuid("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: userId().notNull(),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: at("access_token_expires_at"),
    refreshTokenExpiresAt: at("refresh_token_expires_at"),
    scope: text("scope"),
    password: text("password"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique("account_provider_id_account_id_unique").on(table.providerId, table.accountId),
    index("account_user_id_index").on(table.userId),
  ],
);

export const verification = auth.table(
  "verification",
  {
    id: uuid("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: at("expires_at").notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    index("verification_identifier_index").on(table.identifier),
    index("verification_expires_at_index").on(table.expiresAt),
  ],
);

/** `role` is one of owner, admin, member, viewer. */
export const member = auth.table(
  "member",
  {
    id: uuid("id").primaryKey(),
    organizationId: organizationId(),
    userId: userId().notNull(),
    role: text("role").notNull().default("member"),
    createdAt: createdAt(),
  },
  (table) => [
    unique("member_organization_id_user_id_unique").on(table.organizationId, table.userId),
    index("member_user_id_index").on(table.userId),
    check("member_role_check", sql`${table.role} in ('owner', 'admin', 'member', 'viewer')`),
  ],
);

export const invitation = auth.table(
  "invitation",
  {
    id: uuid("id").primaryKey(),
    organizationId: organizationId(),
    email: text("email").notNull(),
    role: text("role"),
    status: text("status").notNull().default("pending"),
    expiresAt: at("expires_at").notNull(),
    createdAt: createdAt(),
    inviterId: userId("inviter_id").notNull(),
  },
  (table) => [
    index("invitation_organization_id_index").on(table.organizationId),
    index("invitation_email_index").on(table.email),
    index("invitation_inviter_id_index").on(table.inviterId),
  ],
);

export const deviceCode = auth.table(
  "device_code",
  {
    id: uuid("id").primaryKey(),
    deviceCode: text("device_code").notNull().unique(),
    userCode: text("user_code").notNull().unique(),
    userId: userId(),
    expiresAt: at("expires_at").notNull(),
    status: text("status").notNull(),
    lastPolledAt: at("last_polled_at"),
    pollingInterval: integer("polling_interval"),
    clientId: text("client_id"),
    scope: text("scope"),
  },
  (table) => [
    index("device_code_user_id_index").on(table.userId),
    index("device_code_expires_at_index").on(table.expiresAt),
  ],
);

/** `key` is a hash; `referenceId` the user the key belongs to. */
export const apikey = auth.table(
  "api_key",
  {
    id: uuid("id").primaryKey(),
    configId: text("config_id").notNull().default("default"),
    name: text("name"),
    start: text("start"),
    prefix: text("prefix"),
    key: text("key").notNull().unique(),
    referenceId: userId("reference_id").notNull(),
    refillInterval: integer("refill_interval"),
    refillAmount: integer("refill_amount"),
    lastRefillAt: at("last_refill_at"),
    enabled: boolean("enabled").default(true),
    rateLimitEnabled: boolean("rate_limit_enabled").default(true),
    rateLimitTimeWindow: integer("rate_limit_time_window"),
    rateLimitMax: integer("rate_limit_max"),
    requestCount: integer("request_count").default(0),
    remaining: integer("remaining"),
    lastRequest: at("last_request"),
    expiresAt: at("expires_at"),
    permissions: text("permissions"),
    metadata: text("metadata"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    index("api_key_reference_id_index").on(table.referenceId),
    index("api_key_config_id_index").on(table.configId),
  ],
);

/** One row per caller and route; `lastRequest` in milliseconds since 1970. */
export const rateLimit = auth.table("rate_limit", {
  id: uuid("id").primaryKey(),
  key: text("key").notNull().unique(),
  count: integer("count").notNull(),
  lastRequest: bigint("last_request", { mode: "number" }).notNull(),
});

/** At most one row: the account that administers this instance. Its primary key decides the race of the first sign-ups. */
export const instanceAdmin = auth.table(
  "instance_admin",
  {
    singleton: boolean("singleton").primaryKey().default(true),
    userId: userId().notNull().unique(),
    createdAt: createdAt(),
  },
  (table) => [check("instance_admin_singleton_check", sql`${table.singleton}`)],
);

/** What better-auth reads and writes, under its own model names. */
export const signInTables = {
  user,
  session,
  account,
  verification,
  organization,
  member,
  invitation,
  deviceCode,
  apikey,
  rateLimit,
};
