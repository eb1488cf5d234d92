import type { ConnectorStore, StoredConnector } from "../../../shared/ports/connector-gateway.ts";
import type { Scope } from "../../../shared/ports/conversation-store.ts";

const LONGEST_NAME = 60;

function numbered(name: string, count: number): string {
  const end = `-${count}`;
  return `${name.slice(0, LONGEST_NAME - end.length)}${end}`;
}

/**
 * What a machine is called that asks for this name: that name, unless another machine of this person's is online under
 * it; then the next one that is nobody's ("raspberrypi-2"), so that no machine pushes another one off.
 * @param secretHash what the machine is to be known by: under a name that is known by it, it is itself; null before it
 * has one, when a name that was never dialled in under is free
 */
export async function freeName(
  connectors: Pick<ConnectorStore, "list" | "verify">,
  scope: Scope,
  name: string,
  secretHash: string | null,
): Promise<string> {
  const known = new Map((await connectors.list(scope)).map((connector) => [connector.name, connector]));
  const isItself = async ({ id }: StoredConnector): Promise<boolean> =>
    secretHash !== null && (await connectors.verify(id, secretHash)) !== null;
  const asked = known.get(name);
  if (!asked?.isOnline || (await isItself(asked))) return name;
  for (let count = 2; ; count++) {
    const next = numbered(name, count);
    const other = known.get(next);
    if (!other || (secretHash === null && other.lastSeenAt === null) || (await isItself(other))) return next;
  }
}
