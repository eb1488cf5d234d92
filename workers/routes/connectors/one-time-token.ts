import { connectorCredential, hashOfSecret } from "../../../shared/contract/connector-credentials.ts";
import type { Settings } from "../../../shared/contract/settings.ts";
import { keyedHash, toBase64Url } from "../../middleware/keyed-hash.ts";

/**
 * The one-time token of what is made under `requestId`: made again from the same id it is the same token, so that it
 * need not be written down for a request that is repeated.
 */
export async function oneTimeToken(
  settings: Pick<Settings, "BETTER_AUTH_SECRET">,
  requestId: string,
): Promise<{ hash: string; tokenFor(connectorId: string): string }> {
  const secret = toBase64Url(await keyedHash(settings, "connector token", requestId));
  return {
    hash: await hashOfSecret(secret),
    tokenFor: (connectorId) => connectorCredential({ kind: "token", connectorId, secret }),
  };
}
