import { and, eq, isNull, sql } from "drizzle-orm";
import type { IdempotencyStore } from "../../ports/account-store.ts";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./schema/workspaces.ts";

/** Answers to `Idempotency-Key`s, kept for a day. */
export function createIdempotencyStore(database: Database): IdempotencyStore {
  const isKey = (userId: string, key: string) =>
    and(eq(idempotencyKeys.ownerUserId, userId), eq(idempotencyKeys.key, key));
  return {
    begin: async (scope, key, fingerprint) => {
      const [, claimed, rows] = await database.scoped(scope, (db) => [
        // A request that died half-way gives its key back after two minutes.
        db.execute(sql`
          delete from idempotency_keys
          where created_at < now() - interval '1 day' or (status is null and created_at < now() - interval '2 minutes')`),
        db
          .insert(idempotencyKeys)
          .values({ ownerUserId: scope.userId, key, fingerprint })
          .onConflictDoNothing({ target: [idempotencyKeys.ownerUserId, idempotencyKeys.key] })
          .returning({ key: idempotencyKeys.key }),
        db.select().from(idempotencyKeys).where(isKey(scope.userId, key)),
      ]);
      const known = rows[0];
      if (claimed.length > 0 || !known) return { state: "new" };
      if (known.fingerprint !== fingerprint) return { state: "different" };
      return known.status === null ? { state: "running" } : { state: "done", status: known.status, body: known.body };
    },
    finish: async (scope, key, status, body) => {
      await database.scoped(scope, (db) => [
        db
          .update(idempotencyKeys)
          .set({ status, body: body ?? null })
          .where(isKey(scope.userId, key)),
      ]);
    },
    abandon: async (scope, key) => {
      await database.scoped(scope, (db) => [
        db.delete(idempotencyKeys).where(and(isKey(scope.userId, key), isNull(idempotencyKeys.status))),
      ]);
    },
  };
}
