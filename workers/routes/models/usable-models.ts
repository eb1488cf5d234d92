import type { Model } from "../../../shared/contract/model.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import type { TurnConfiguration } from "../../../shared/domain/providers/turn-configuration.ts";
import type { ProviderInstance } from "../../../shared/ports/provider-directory.ts";
import { requireMembership } from "../../personal-workspace.ts";
import type { SignedInCall } from "../route.ts";

export type Asker = Pick<SignedInCall, "services" | "scope" | "signedIn">;

/** Of what the caller may use: all, or only what others in the workspace may use as well. */
type Whose = "everything" | "shared";

/** What the caller may use in one workspace, or in any of theirs, as a turn would read it. */
export async function usableConfiguration(
  { services, scope, signedIn }: Asker,
  workspaceId: string | undefined,
  whose: Whose = "everything",
): Promise<TurnConfiguration> {
  if (workspaceId !== undefined) requireMembership(signedIn.workspaces, workspaceId);
  const stored = await services.providerStore.list(scope, workspaceId);
  const providers = stored
    .map(({ record }) => record)
    .filter((record) => record.isEnabled && (whose === "everything" || record.scope !== "user"));
  const ids = [...providers, ...services.providers.environment()].map(({ id }) => id);
  const facts = await services.status.facts(ids);
  return { workspace: { defaultModel: null, defaultProviderId: null, settings: {} }, providers, ...facts };
}

/** How long an answer waits for vendors whom nobody ever asked. */
const FIRST_WORD_MS = 2_000;

/** Who can answer the caller there, the built-in guide aside. */
export async function usableInstances(
  asker: Asker,
  workspaceId: string | undefined,
  whose: Whose = "everything",
): Promise<ProviderInstance[]> {
  const { services } = asker;
  const configuration = await usableConfiguration(asker, workspaceId, whose);
  const first = instancesOf(asker, configuration);
  if (first.every(({ models }) => models.length > 0)) return first;
  await services.health.firstLook(configuration, FIRST_WORD_MS);
  return instancesOf(asker, await usableConfiguration(asker, workspaceId, whose));
}

export const instancesOf = ({ services }: Pick<Asker, "services">, configuration: TurnConfiguration) =>
  services.providers.instances(configuration).filter(({ kind }) => kind !== "guide");

/** Whose a model is, and the vendor's id: the one thing that stays the same while lists come and go. */
const keyOf = ({ providerId, id }: Model): string => `${providerId}/${id}`;

/** `<position> <key>` of the last model that was given out. */
const CURSOR = /^(\d{1,9}) (.+)$/s;

/** Behind the model of that key, wherever it stands by now; where it is gone, at the place it had. */
function placeAfter(all: readonly Model[], cursor: string): number {
  const [, position, key] = CURSOR.exec(cursor) ?? [];
  if (position === undefined) {
    const message = "is not one that this list gave out";
    throw new AppError("invalid_request", `\`cursor\`: ${message}; start again without it.`, {
      errors: [{ path: "cursor", message }],
    });
  }
  const found = all.findIndex((model) => keyOf(model) === key);
  return found < 0 ? Number(position) : found + 1;
}

/**
 * A page of the matrix, so that what comes and goes before it moves nothing.
 * @throws AppError `invalid_request` for a cursor that is none
 */
export function pageOfModels(
  instances: readonly ProviderInstance[],
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): { items: Model[]; nextCursor: string | null } {
  const all = instances.flatMap(({ models }) => models);
  const from = cursor === undefined ? 0 : placeAfter(all, cursor);
  const items = all.slice(from, from + limit);
  const last = items.at(-1);
  return { items, nextCursor: last && from + limit < all.length ? `${from + limit} ${keyOf(last)}` : null };
}
