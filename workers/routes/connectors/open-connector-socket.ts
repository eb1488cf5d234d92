import * as z from "zod";
import { ConnectorName } from "../../../shared/contract/connector.ts";
import {
  type ConnectorCredential,
  ConnectorSecret,
  ENROL_HEADER,
  hashOfSecret,
  readConnectorCredential,
} from "../../../shared/contract/connector-credentials.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { CONNECTOR_DOORS, CONNECTOR_HEADERS, type DialIn } from "../../../shared/ports/connector-gateway.ts";
import { requireSignIn } from "../../middleware/sign-in.ts";
import { type Call, defineOpenRoute } from "../route.ts";
import { connectorStamp, isSameStamp } from "./connector-stamp.ts";
import { freeName } from "./free-name.ts";

/** All that the object needs of the machine's headers. Credentials stay at the edge. */
const FORWARDED = [
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
];

type Dialling = Call<string, { name?: string | undefined }, undefined>;

type Lasting = Extract<ConnectorCredential, { kind: "secret" }>;

const refused = (): AppError => new AppError("unauthenticated", "Mosaic does not know this machine; connect it anew.");

const usedUp = (): AppError =>
  new AppError(
    "unauthenticated",
    "This token was used already, or is too old; make a new one under Settings, Machines.",
  );

/** Hands the upgrade to the object. @throws AppError `unauthenticated` for a secret that it does not know by itself */
async function dial(call: Dialling, machine: Omit<DialIn, "stamp">): Promise<Response> {
  const stamp = await connectorStamp(call.services.settings, machine.connectorId);
  const dialIn: DialIn = { ...machine, stamp };
  const headers = new Headers({ [CONNECTOR_HEADERS.dialIn]: encodeURIComponent(JSON.stringify(dialIn)) });
  for (const name of FORWARDED) {
    const value = call.request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const response = await call.rooms
    .connector(dialIn.connectorId)
    .fetch(new Request(CONNECTOR_DOORS.dialIn, { headers }));
  if (response.status === 101) return response;
  if (response.status === 401) throw refused();
  throw new AppError("invalid_request", (await response.text()) || "The machine could not be connected; try again.");
}

/**
 * A machine that was here before: its object knows the hash, and Postgres is asked only where that does not, or where
 * the stamp is none of ours. An invented id wakes no object; of a machine from before a change of key Postgres knows.
 */
async function dialAgain(call: Dialling, { connectorId, stamp, secret }: Lasting): Promise<Response> {
  const secretHash = await hashOfSecret(secret);
  if (isSameStamp(stamp, await connectorStamp(call.services.settings, connectorId))) {
    try {
      return await dial(call, { connectorId, secretHash, owner: null });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "unauthenticated") throw error;
    }
  }
  const found = await call.services.connectors.verify(connectorId, secretHash);
  if (!found) throw refused();
  return await dial(call, { connectorId, secretHash, owner: found });
}

/** The machine brings the secret that it wants to be known by. */
async function secretToEnrol(headers: Headers): Promise<string> {
  const secret = ConnectorSecret.safeParse(headers.get(ENROL_HEADER));
  if (secret.success) return await hashOfSecret(secret.data);
  throw new AppError("invalid_request", `A machine that is new here sends its own secret in \`${ENROL_HEADER}\`.`);
}

async function enrolWithToken(call: Dialling, connectorId: string, token: string): Promise<Response> {
  const secretHash = await secretToEnrol(call.request.headers);
  const at = call.services.now().toISOString();
  const found = await call.services.connectors.claim(connectorId, await hashOfSecret(token), secretHash, at);
  if (!found) throw usedUp();
  return await dial(call, { connectorId, secretHash, owner: found });
}

/** On behalf of whoever signed in on that machine; a cookie is no such sign-in, whoever's page sends it. */
async function enrolAsOwner(call: Dialling): Promise<Response> {
  const headers = new Headers(call.request.headers);
  headers.delete("cookie");
  const { services } = call;
  const { principal } = await requireSignIn(services, headers);
  const secretHash = await secretToEnrol(headers);
  const { name } = call.query;
  if (name === undefined) throw new AppError("invalid_request", "Name the machine with `?name=`.");
  const scope = { userId: principal.userId };
  const at = services.now().toISOString();
  const unnamed = { id: services.newId(), tokenHash: null, tokenExpiresAt: null };
  const own = await freeName(services.connectors, scope, name, secretHash);
  const connector = await services.connectors.create(scope, { ...unnamed, name: own, at });
  if (!(await services.connectors.enrol(scope, connector.id, secretHash, at))) throw refused();
  const owner = { ownerUserId: principal.userId, name: connector.name };
  return await dial(call, { connectorId: connector.id, secretHash, owner });
}

export const openConnectorSocket = defineOpenRoute({
  method: "get",
  path: "/api/connectors/socket",
  operationId: "openConnectorSocket",
  summary: "A machine dials in: a WebSocket with the subprotocol `mosaic.connector.v1`",
  tag: "connectors",
  signIn: "ticket",
  errors: ["unauthenticated", "expired", "invalid_request", "database_unavailable"],
  query: z.strictObject({ name: ConnectorName.optional() }),
  answer: { status: 101, description: "The socket is open." },
  handle: async (call) => {
    if (call.request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError(
        "invalid_request",
        "This address is a WebSocket; connect with `Upgrade: websocket` and the subprotocol `mosaic.connector.v1`.",
      );
    }
    const bearer = /^Bearer (.+)$/i.exec(call.request.headers.get("authorization") ?? "")?.[1] ?? "";
    const credential = readConnectorCredential(bearer.trim());
    if (!credential) return await enrolAsOwner(call);
    if (credential.kind === "secret") return await dialAgain(call, credential);
    return await enrolWithToken(call, credential.connectorId, credential.secret);
  },
});
