import type { Settings } from "../../../shared/contract/settings.ts";
import { keyedHash, toBase64Url } from "../../middleware/keyed-hash.ts";

/**
 * Mosaic's own mark on the id of a connector, which a machine is told when it is welcomed and shows when it comes back:
 * whoever invents an id is told from it without a database, and without waking an object.
 */
export const connectorStamp = async (
  settings: Pick<Settings, "BETTER_AUTH_SECRET">,
  connectorId: string,
): Promise<string> => toBase64Url(await keyedHash(settings, "connector stamp", connectorId));

/** Takes as long for a wrong stamp wherever it is wrong. */
export function isSameStamp(shown: string, own: string): boolean {
  let differences = shown.length ^ own.length;
  for (let at = 0; at < own.length; at++) differences |= shown.charCodeAt(at) ^ own.charCodeAt(at);
  return differences === 0;
}
