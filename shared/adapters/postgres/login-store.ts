import { and, eq, isNull, lte, or, type SQL } from "drizzle-orm";
import { AppError } from "../../domain/app-error.ts";
import type { Scope } from "../../ports/conversation-store.ts";
import type { LoginStore, StoredLogin } from "../../ports/login-store.ts";
import { type Database, sqlStateOf } from "./database.ts";
import { providerLogins as logins } from "./schema/providers.ts";

const REFUSED_BY_POLICY = "42501";

/** Logins at vendors that have begun, in Postgres; everyone sees their own. */
export function createLoginStore(database: Database): LoginStore {
  const find = async (scope: Scope, which: SQL): Promise<StoredLogin | null> => {
    const [rows] = await database.scoped(scope, (db) => [db.select().from(logins).where(which)]);
    return rows[0] ? loginOf(rows[0]) : null;
  };
  /** Changes a login that is still pending. @returns whether it was */
  const move = async (
    scope: Scope,
    id: string,
    to: Partial<typeof logins.$inferInsert>,
    when?: SQL,
  ): Promise<boolean> => {
    const isPending = and(eq(logins.id, id), eq(logins.state, "pending"), when);
    const [rows] = await database.scoped(scope, (db) => [
      db.update(logins).set(to).where(isPending).returning({ id: logins.id }),
    ]);
    return rows.length > 0;
  };
  return {
    create: async (scope, { expiresAt, pollAfter, ...login }) => {
      const row = {
        ...login,
        expiresAt: new Date(expiresAt),
        pollAfter: pollAfter === null ? null : new Date(pollAfter),
      };
      try {
        await database.scoped(scope, (db) => [db.insert(logins).values(row)]);
      } catch (error) {
        if (sqlStateOf(error) !== REFUSED_BY_POLICY) throw error;
        throw new AppError("forbidden", "Only an admin may log in on behalf of others.", { cause: error });
      }
    },
    find: (scope, id) => find(scope, eq(logins.id, id)),
    findByState: (scope, stateHash) => find(scope, eq(logins.stateHash, stateHash)),
    settle: (scope, id, to) => move(scope, id, to),
    claimPoll: (scope, id, now, pollAfter) =>
      move(
        scope,
        id,
        { pollAfter: new Date(pollAfter) },
        or(isNull(logins.pollAfter), lte(logins.pollAfter, new Date(now))),
      ),
    slowDown: async (scope, id, intervalSeconds, pollAfter) => {
      await move(scope, id, { intervalSeconds, pollAfter: new Date(pollAfter) });
    },
  };
}

const loginOf = ({ expiresAt, pollAfter, ...row }: typeof logins.$inferSelect): StoredLogin => ({
  ...row,
  expiresAt: expiresAt.toISOString(),
  pollAfter: pollAfter?.toISOString() ?? null,
});
