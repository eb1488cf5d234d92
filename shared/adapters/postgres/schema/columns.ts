import { pgEnum, timestamp, uuid } from "drizzle-orm/pg-core";

export const visibility = pgEnum("visibility", ["private", "workspace"]);

/** Whose row it is. Every tenant table has these; row-level security and the composite foreign keys rest on them. */
export const tenantColumns = {
  workspaceId: uuid("workspace_id").notNull(),
  ownerUserId: uuid("owner_user_id").notNull(),
  visibility: visibility("visibility").notNull().default("private"),
};

/** Milliseconds, as the contract's ISO strings have them: what is read equals what was written. */
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
