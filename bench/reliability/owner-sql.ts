import { neon } from "@neondatabase/serverless";
import { createDatabase } from "../../shared/adapters/postgres/database.ts";
import type { House } from "../house/house.ts";

/** SQL as the owner of the measured database. */
export function ownerSql({ ownerUrl, endpoint }: House["database"]): ReturnType<typeof neon<false, false>> {
  createDatabase({ connectionString: ownerUrl, endpoint }); // tells the driver where to post
  return neon(ownerUrl);
}
