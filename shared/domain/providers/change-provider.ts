import type { FieldError, PublicError, Result } from "../../contract/errors.ts";
import {
  type ConnectableKind,
  type CreateProvider,
  placeFaults,
  type UpdateProvider,
} from "../../contract/provider.ts";
import type { Principal } from "../access/principal.ts";
import { checkPrivateUrl, checkPublicUrl } from "../access/url-guard.ts";
import { ok } from "../app-error.ts";
import type { ProviderRecord } from "./provider-record.ts";
import { secretHint } from "./secret-hint.ts";

/** Where an instance is and how requests to it leave. */
export type Place = Pick<ProviderRecord, "baseUrl" | "connectorId" | "upstream" | "route">;

export interface Hints {
  credential: string | null;
  headers: Record<string, string | null>;
}

/** What becomes of the sealed secret; the fields that are left out stay. */
interface SecretPlan {
  apiKey?: string | null;
  headers?: Record<string, string>;
}

export interface ProviderPlan {
  changes: Partial<Place> & { displayName?: string; isDefault?: boolean; isEnabled?: boolean };
  /** Null: the secret stays as it is, unopened. */
  secret: SecretPlan | null;
  hints: Hints;
}

/** Whose word counts for an address: an admin's, for private ones, where the operator allows that. */
export interface Standing {
  isInstanceAdmin: boolean;
  /** `ALLOW_PRIVATE_NETWORK`. */
  privateNetwork: boolean;
}

const refuse = (
  code: PublicError["code"],
  errors: FieldError[],
  message = errors[0]?.message ?? "",
): Result<never> => ({
  ok: false,
  error: { code, message, errors },
});

const misplaced = (faults: FieldError[]): Result<never> =>
  refuse("invalid_request", faults, faults.map(({ path, message }) => `\`${path}\`: ${message}`)[0]);

/** Why somebody who can see instances of this scope may not add or change one; null when they may. */
export function whyNotChange(
  { isInstanceAdmin, workspaces }: Pick<Principal, "isInstanceAdmin" | "workspaces">,
  { scope, workspaceId }: Pick<ProviderRecord, "scope" | "workspaceId">,
): string | null {
  if (scope === "user") return null;
  if (scope === "system")
    return isInstanceAdmin ? null : "Only an instance admin may add or change providers that everybody here uses.";
  const role = workspaces.find(({ id }) => id === workspaceId)?.role;
  if (role === "owner" || role === "admin") return null;
  return "Only the workspace's owner or an admin of it may add or change its providers.";
}

const VARIABLES: Partial<Record<ConnectableKind, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
  zai: "ZAI_API_KEY",
  ollama: "OLLAMA_BASE_URL",
};

/** Why an instance of the environment's cannot be changed here. */
export const whyReadOnly = (kind: ConnectableKind): string =>
  `This provider comes from ${VARIABLES[kind] ?? "a variable"} in the environment of this installation; only its operator can change it, there.`;

/** Without anything that a path could not be appended to. */
function normalised(url: URL): string | null {
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(url.href)) return null;
  return url.href.replace(/\/+$/, "");
}

/** What to do where an address is refused that may be one of a private network. */
function hintFor(baseUrl: string, { isInstanceAdmin }: Standing): string {
  if (isInstanceAdmin) return " An address of a private network needs ALLOW_PRIVATE_NETWORK=1 in the environment.";
  return checkPrivateUrl(baseUrl).ok
    ? " A model server on a computer of yours is reached by connecting that machine: `npx mosaic connect` there, or Settings, Machines."
    : "";
}

function placeAt(baseUrl: string, standing: Standing): Result<Place> {
  const mayBePrivate = standing.isInstanceAdmin && standing.privateNetwork;
  const inPublic = checkPublicUrl(baseUrl);
  const verdict = !inPublic.ok && mayBePrivate ? checkPrivateUrl(baseUrl) : inPublic;
  const hint = verdict.ok || mayBePrivate ? "" : hintFor(baseUrl, standing);
  const text = verdict.ok ? normalised(verdict.url) : null;
  const why = verdict.ok ? "it has a query or a fragment; leave them out" : verdict.why;
  if (text === null)
    return refuse("url_refused", [{ path: "config.baseUrl", message: `The address is refused: ${why}.${hint}` }]);
  return ok({ baseUrl: text, connectorId: null, upstream: null, route: inPublic.ok ? "public" : "private" });
}

/** Where an instance is by what a person says; without an address it is where the operator or the vendor has that API. */
function placeOf(
  kind: ConnectableKind,
  said: {
    baseUrl?: string | null | undefined;
    connectorId?: string | null | undefined;
    upstream?: string | null | undefined;
  },
  standing: Standing,
): Result<Place> {
  const faults = placeFaults(said, kind);
  if (faults.length > 0) return misplaced(faults);
  const { baseUrl = null, connectorId = null, upstream = null } = said;
  if (connectorId !== null) return ok({ baseUrl: null, connectorId, upstream, route: "connector" });
  if (baseUrl !== null) return placeAt(baseUrl, standing);
  return ok({ baseUrl: null, connectorId: null, upstream: null, route: "operator" });
}

/** A person's headers go where the person's own address is: behind the operator's may stand what trusts them. */
function strayHeaders({ route }: Pick<Place, "route">, headers: Readonly<Record<string, unknown>>): FieldError[] {
  if (route !== "operator" || Object.keys(headers).length === 0) return [];
  const message = "go only to an address of your own; give its baseUrl with them, or leave them out";
  return [{ path: "config.headers", message }];
}

const headerHints = (headers: Record<string, string>): Hints["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secretHint(value)]));

/** What a new instance is to be, apart from ids. */
export function planCreation(
  { kind, config, credential }: Pick<CreateProvider, "kind" | "config" | "credential">,
  standing: Standing,
): Result<{ place: Place; secret: SecretPlan | null; hints: Hints }> {
  const place = placeOf(kind, config, standing);
  if (!place.ok) return place;
  const { headers = {} } = config;
  const stray = strayHeaders(place.value, headers);
  if (stray.length > 0) return misplaced(stray);
  const secret = {
    ...(credential ? { apiKey: credential.apiKey } : {}),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
  };
  const hints = { credential: credential ? secretHint(credential.apiKey) : null, headers: headerHints(headers) };
  return ok({ place: place.value, secret: Object.keys(secret).length > 0 ? secret : null, hints });
}

/** The path counts: behind one origin, a gateway has an account of somebody else's at each. */
const isElsewhere = (from: Place, to: Place): boolean =>
  from.baseUrl !== to.baseUrl || from.connectorId !== to.connectorId || from.upstream !== to.upstream;

/** A key goes only where it was saved for: whoever moves the place brings the secrets anew, or drops them. */
function leftBehind(record: ProviderRecord, hints: Hints, body: UpdateProvider): FieldError[] {
  const faults: FieldError[] = [];
  const rule = "was saved for the old address and is sent nowhere else";
  if (record.credential?.method && body.credential === undefined)
    faults.push({
      path: "credential.apiKey",
      message: `The key ${rule}; give it anew with the new address, or \`credential: null\` to go on without.`,
    });
  if (Object.keys(hints.headers).length > 0 && body.config?.headers === undefined)
    faults.push({
      path: "config.headers",
      message: `What stands in the headers ${rule}; give them anew with the new address, or \`headers: {}\` to go on without.`,
    });
  return faults;
}

function nextPlace(
  record: ProviderRecord,
  { baseUrl, connectorId, upstream }: NonNullable<UpdateProvider["config"]>,
  standing: Standing,
): Result<Place> {
  if (baseUrl === undefined && connectorId === undefined && upstream === undefined) return ok(record);
  const [toUrl, toConnector] = [typeof baseUrl === "string", typeof connectorId === "string"];
  const nextConnector = connectorId === undefined ? (toUrl ? null : record.connectorId) : connectorId;
  const said = {
    baseUrl: baseUrl === undefined ? (toConnector ? null : record.baseUrl) : baseUrl,
    connectorId: nextConnector,
    upstream: upstream === undefined ? (nextConnector === null ? null : record.upstream) : upstream,
  };
  // An address that stays is not judged again: whoever saved it was allowed to.
  const stays = said.baseUrl !== null && said.baseUrl === record.baseUrl && nextConnector === null && !said.upstream;
  return stays ? ok(record) : placeOf(record.kind, said, standing);
}

const placeIn = ({ baseUrl, connectorId, upstream, route }: Place): Place => ({
  baseUrl,
  connectorId,
  upstream,
  route,
});

/** What a change of an instance comes to, decided before anything is opened or written. */
export function planUpdate(
  { record, hints }: { record: ProviderRecord; hints: Hints },
  body: UpdateProvider,
  standing: Standing,
): Result<ProviderPlan> {
  const { displayName, isDefault, isEnabled, credential, config = {} } = body;
  const place = nextPlace(record, config, standing);
  if (!place.ok) return place;
  const faults = isElsewhere(record, place.value) ? leftBehind(record, hints, body) : [];
  if (faults.length > 0) return refuse("invalid_request", faults);
  const stray = strayHeaders(place.value, config.headers ?? hints.headers);
  if (stray.length > 0) return misplaced(stray);
  const secret: SecretPlan = {
    ...(credential === undefined ? {} : { apiKey: credential?.apiKey ?? null }),
    ...(config.headers === undefined ? {} : { headers: config.headers }),
  };
  return ok({
    changes: {
      ...(place.value === record ? {} : placeIn(place.value)),
      ...(displayName === undefined ? {} : { displayName }),
      ...(isDefault === undefined ? {} : { isDefault }),
      ...(isEnabled === undefined ? {} : { isEnabled }),
    },
    secret: Object.keys(secret).length > 0 ? secret : null,
    hints: {
      credential: credential === undefined ? hints.credential : credential && secretHint(credential.apiKey),
      headers: config.headers === undefined ? hints.headers : headerHints(config.headers),
    },
  });
}
