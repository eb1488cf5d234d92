import type { Connector } from "../../../shared/contract/connector.ts";
import type { StoredConnector } from "../../../shared/ports/connector-gateway.ts";

export const toConnector = ({
  id,
  name,
  isOnline,
  lastSeenAt,
  upstreams,
  clientVersion,
  createdAt,
}: StoredConnector): Connector => ({
  id,
  name,
  state: isOnline ? "online" : "offline",
  lastSeenAt,
  upstreams,
  clientVersion,
  createdAt,
});
