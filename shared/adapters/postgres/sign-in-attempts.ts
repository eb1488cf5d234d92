import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import * as z from "zod";
import type { Database } from "./database.ts";

/** Counters of attempts, in windows that begin with the first one and end whatever comes after it. */
export interface SignInAttempts {
  /** Counts one more, atomically. @returns how many the window holds now, and the seconds until it ends (at least 1). */
  count(key: string, windowSeconds: number): Promise<{ attempts: number; secondsLeft: number }>;
  /** Takes one back: it turned out not to be what is counted. */
  takeBack(key: string): Promise<void>;
}

const Counted = z.object({ count: z.number(), seconds_left: z.number() });

const nowMs = sql`(extract(epoch from now()) * 1000)::bigint`;

/** In better-auth's table of rates, whose `last_request` is the window's beginning here; the sweep clears both. */
export function createSignInAttempts(database: Database): SignInAttempts {
  return {
    count: async (key, windowSeconds) => {
      const isOver = sql`entry.last_request <= ${nowMs} - ${windowSeconds * 1000}::bigint`;
      const [{ rows }] = await database.unscoped((db) => [
        db.execute(sql`
          insert into auth.rate_limit as entry (id, key, count, last_request) values (${v7()}::uuid, ${key}, 1, ${nowMs})
          on conflict (key) do update set
            count = case when ${isOver} then 1 else least(entry.count + 1, 1000000) end,
            last_request = case when ${isOver} then ${nowMs} else entry.last_request end
          returning count, ceil((last_request - ${nowMs}) / 1000.0 + ${windowSeconds}::integer)::integer as seconds_left`),
      ]);
      const { count, seconds_left } = Counted.parse(rows[0]);
      return { attempts: count, secondsLeft: Math.max(1, seconds_left) };
    },
    takeBack: async (key) => {
      await database.unscoped((db) => [
        db.execute(sql`update auth.rate_limit set count = count - 1 where key = ${key} and count > 0`),
      ]);
    },
  };
}
