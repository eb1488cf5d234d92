/** What stands in the form of a provider, and the request it becomes. Pure. */

import { KIND_WORDS } from "../../../../../shared/client/provider-words.ts";
import type { FieldError } from "../../../../../shared/contract/errors.ts";
import type {
  ConnectableKind,
  CreateProvider,
  Provider,
  UpdateProvider,
} from "../../../../../shared/contract/provider.ts";

import { scopeOf } from "./audience.ts";

export interface HeaderDraft {
  key: number;
  name: string;
  value: string;
}

export interface ProviderDraft {
  displayName: string;
  /** `user`, `system`, or the id of a workspace. */
  audience: string;
  apiKey: string;
  place: "address" | "machine";
  baseUrl: string;
  connectorId: string;
  upstream: string;
  /** Null: what is saved stays. */
  headers: HeaderDraft[] | null;
}

type CreateBody = Pick<CreateProvider, "kind" | "displayName" | "scope" | "config"> & {
  workspaceId?: string;
  credential?: { apiKey: string };
};

export const isLocal = (kind: Provider["kind"]): boolean => kind === "ollama" || kind === "openai-compatible";

export const emptyDraft = (kind: ConnectableKind): ProviderDraft => ({
  displayName: KIND_WORDS[kind].name,
  audience: "user",
  apiKey: "",
  place: "address",
  baseUrl: "",
  connectorId: "",
  upstream: "",
  headers: null,
});

export const draftOf = ({ displayName, scope, workspaceId, config }: Provider): ProviderDraft => ({
  displayName,
  audience: scope === "workspace" ? (workspaceId ?? "") : scope,
  apiKey: "",
  place: config.connectorId === undefined ? "address" : "machine",
  baseUrl: config.baseUrl ?? "",
  connectorId: config.connectorId ?? "",
  upstream: config.upstream ?? "",
  headers: null,
});

const headersOf = (drafts: readonly HeaderDraft[]): Record<string, string> =>
  Object.fromEntries(
    drafts.flatMap(({ name, value }) => (name.trim() === "" && value === "" ? [] : [[name.trim(), value.trim()]])),
  );

function placeOf({ place, baseUrl, connectorId, upstream }: ProviderDraft): CreateProvider["config"] {
  if (place === "machine") return { connectorId, ...(upstream === "" ? {} : { upstream }) };
  return baseUrl.trim() === "" ? {} : { baseUrl: baseUrl.trim() };
}

export function creationOf(kind: ConnectableKind, draft: ProviderDraft): CreateBody {
  const headers = headersOf(draft.headers ?? []);
  return {
    kind,
    displayName: draft.displayName.trim(),
    ...scopeOf(draft.audience),
    config: { ...placeOf(draft), ...(Object.keys(headers).length === 0 ? {} : { headers }) },
    ...(draft.apiKey.trim() === "" ? {} : { credential: { apiKey: draft.apiKey.trim() } }),
  };
}

/** In the form in which Mosaic keeps it. */
const addressOf = (url: string | undefined): string | null =>
  URL.parse(url ?? "")?.href.replace(/\/+$/, "") ?? url ?? null;

/** Whether the draft sends to another place than the saved key was meant for: then the secrets have to come anew. */
export function isElsewhere(draft: ProviderDraft, { config }: Provider): boolean {
  const place = placeOf(draft);
  if (place.connectorId !== config.connectorId) return true;
  if (place.connectorId !== undefined) return (place.upstream ?? "") !== (config.upstream ?? "");
  return addressOf(place.baseUrl) !== addressOf(config.baseUrl);
}

/** The place, where it is another than the saved one. Without an address a vendor is asked at its own. */
function moveOf(draft: ProviderDraft, provider: Provider): NonNullable<UpdateProvider["config"]> {
  const place = placeOf(draft);
  const isSame = !isElsewhere(draft, provider) && place.baseUrl === provider.config.baseUrl;
  if (isSame) return {};
  return place.connectorId === undefined ? { baseUrl: place.baseUrl ?? null } : { upstream: null, ...place };
}

/** Only what differs from what is saved; null where nothing does. */
export function changesOf(draft: ProviderDraft, provider: Provider): UpdateProvider | null {
  const moved = moveOf(draft, provider);
  const headers = draft.headers === null ? {} : { headers: headersOf(draft.headers) };
  const changed = { ...moved, ...headers };
  const displayName = draft.displayName.trim();
  const changes: UpdateProvider = {
    ...(displayName === provider.displayName ? {} : { displayName }),
    ...(Object.keys(changed).length === 0 ? {} : { config: changed }),
    ...(draft.apiKey.trim() === "" ? {} : { credential: { apiKey: draft.apiKey.trim() } }),
  };
  return Object.keys(changes).length === 0 ? null : changes;
}

/** Where a fault that the server found is shown, and what that place is called. */
const PLACES: [RegExp, keyof ProviderDraft, string][] = [
  [/^displayName/, "displayName", "The name"],
  [/^(scope|workspaceId)/, "audience", "Who may use it"],
  [/^credential/, "apiKey", "The key"],
  [/^config\.baseUrl/, "baseUrl", "The address"],
  [/^config\.connectorId/, "connectorId", "The machine"],
  [/^config\.upstream/, "upstream", "The model server"],
  [/^config\.headers/, "headers", "A header"],
];

export type DraftErrors = Partial<Record<keyof ProviderDraft, string>>;

/** One sentence for each field; a fault of no field is left to the sentence of the whole. */
export function errorsAt(errors: readonly FieldError[]): DraftErrors {
  const found: DraftErrors = {};
  for (const { path, message } of errors) {
    const [, field, name] = PLACES.find(([pattern]) => pattern.test(path)) ?? [];
    if (field === undefined || found[field] !== undefined) continue;
    const header = /^config\.headers\.(.+)$/.exec(path)?.[1];
    const subject = header === undefined ? name : `The header ${header}`;
    const sentence = /^[a-z]/.test(message) ? `${subject} ${message}` : message;
    found[field] = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  }
  return found;
}
