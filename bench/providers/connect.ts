import * as z from "zod";
import type { BenchAccount } from "../bench-account.ts";

/** The vendors of the measurements are on this machine; and nobody asks for their lists meanwhile. */
export const NEARBY_VENDORS = { ALLOW_PRIVATE_NETWORK: "1", PROVIDER_PROBE_SECONDS: "3600" };

const Made = z.object({ id: z.string() });

/** An instance of the account's own, as a user saves it. The house's first account alone may save such an address. */
export async function connectVendor(account: BenchAccount, displayName: string, baseUrl: string): Promise<string> {
  const body = { kind: "anthropic", displayName, config: { baseUrl }, credential: { apiKey: "sk-bench" } };
  return Made.parse(await account.post("/api/providers", body)).id;
}
