import type { Connector, Upstream } from "../contract/connector.ts";
import type { Scope } from "./conversation-store.ts";

/** One upstream of one machine. */
export interface ConnectorTarget {
  connectorId: string;
  /** Whose machine it must be; for anybody else's it is as if it were not there. */
  ownerUserId: string;
  upstream: string;
}

/** Reaches the upstreams of a machine that dialled in. */
export interface ConnectorGateway {
  /**
   * `fetch` over the connector's socket: the path and the query are the upstream's, the host means nothing.
   * An answer that the connector itself could not give is `application/problem+json` with a sentence in `detail`:
   * 503 `connector_offline` where the machine is away. Where it goes away later the body fails at once.
   */
  fetch(target: ConnectorTarget, request: Request): Promise<Response>;
  /**
   * Hangs up on the machine for good: it cannot come back with the secret that it has. Repeating it changes nothing.
   * @throws Error when the connector's object cannot be reached
   */
  end(connectorId: string): Promise<void>;
}

/**
 * Where a connector's object is asked: who speaks is told by the door, and never by a header that a caller may set. The
 * gateway knows the way to `ask` alone.
 */
export const CONNECTOR_DOORS = {
  /** The upgrade of a machine that the edge has looked at. */
  dialIn: "https://dial-in.connector.invalid",
  /** Followed by the path and the query of a request to an upstream. */
  ask: "https://ask.connector.invalid",
} as const;

/** Headers in which the Worker and the objects tell a connector's object what they want; never accepted from outside. */
export const CONNECTOR_HEADERS = {
  /** At the door `dialIn`: `DialIn`, as percent-encoded JSON. */
  dialIn: "x-mosaic-dial-in",
  /** At the door `ask`: `ConnectorTarget`, as percent-encoded JSON. */
  target: "x-mosaic-connector-target",
  /** Beside it: what `cancel` calls this request. */
  request: "x-mosaic-connector-request",
} as const;

/** What a model server needs to know of a request; nothing else of the caller's crosses. */
export const FORWARDED_HEADERS = ["accept", "authorization", "content-length", "content-type"] as const;

/** A machine that dials in. `owner` is set where Postgres has just confirmed the secret, or bound it. */
export interface DialIn {
  connectorId: string;
  /** Made at the edge from the id, for the machine to show the next time. */
  stamp: string;
  secretHash: string;
  owner: { ownerUserId: string; name: string } | null;
}

/** The object that a machine dials into, named by the connector's id. */
export interface ConnectorObject {
  /**
   * At `CONNECTOR_DOORS.dialIn`: the upgrade; 401 for a secret that the object does not know by itself, and for a
   * machine that is not its own. At `CONNECTOR_DOORS.ask`: a request to an upstream, as `ConnectorGateway` says.
   */
  fetch(request: Request): Promise<Response>;
  /** Nobody waits for this request any more: how the caller's signal reaches the object before the answer has begun. */
  cancel(requestId: string): Promise<void>;
  /** The connector is removed: closes its socket (4004), and its secret is worth nothing here any more. */
  forget(): Promise<void>;
}

export interface StoredConnector extends Omit<Connector, "state"> {
  ownerUserId: string;
  isOnline: boolean;
}

/** The machines that people connected. Those of others do not exist for the caller. */
export interface ConnectorStore {
  list(scope: Scope): Promise<StoredConnector[]>;
  find(scope: Scope, id: string): Promise<StoredConnector | null>;
  /** A connector of that name, made where there is none; `tokenHash` replaces an unused one-time token. */
  create(
    scope: Scope,
    connector: { id: string; name: string; tokenHash: string | null; tokenExpiresAt: string | null; at: string },
  ): Promise<StoredConnector>;
  /** Also removes the instances that it serves. @returns whether there was one */
  remove(scope: Scope, id: string): Promise<boolean>;
  /**
   * Trades a one-time token for a lasting secret: the first hash that comes with it is bound, and the same pair may come
   * again. On nobody's behalf.
   * @returns whose connector it is, or null
   */
  claim(
    id: string,
    tokenHash: string,
    secretHash: string,
    at: string,
  ): Promise<{ ownerUserId: string; name: string } | null>;
  /** @returns whose connector this secret opens, or null. On nobody's behalf. */
  verify(id: string, secretHash: string): Promise<{ ownerUserId: string; name: string } | null>;
  /** Binds a secret on behalf of its owner, who signed in on that machine. */
  enrol(scope: Scope, id: string, secretHash: string, at: string): Promise<boolean>;
  /**
   * What a machine that is there now offers: kept with the connector, and as an instance of the owner's for every
   * upstream that has none yet. `upstreams` null: it is gone. On nobody's behalf.
   * @returns false where there is no such connector any more
   */
  announce(
    id: string,
    state: { upstreams: readonly Upstream[] | null; clientVersion: string | null; at: string },
  ): Promise<boolean>;
}
