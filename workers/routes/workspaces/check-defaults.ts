import type { UpdateWorkspaceSettings } from "../../../shared/contract/account.ts";
import type { FieldError } from "../../../shared/contract/errors.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { findModel } from "../../../shared/domain/catalogue/find-model.ts";
import { nearestNames } from "../../../shared/domain/nearest-names.ts";
import type { ProviderInstance } from "../../../shared/ports/provider-directory.ts";
import { usableInstances } from "../models/usable-models.ts";
import type { SignedInCall } from "../route.ts";

type Settings = SignedInCall<"/{id}", unknown, UpdateWorkspaceSettings>;

const orNearest = (nearest: readonly string[]): string =>
  nearest.length > 0 ? `; the nearest are ${nearest.join(", ")}` : "";

function unknownProvider(wanted: string, instances: readonly ProviderInstance[]): FieldError[] {
  if (instances.some(({ id }) => id === wanted.toLowerCase())) return [];
  const named = instances.map(({ id, displayName }) => ({ id, displayName }));
  const nearest = nearestNames(
    wanted,
    named.map(({ displayName }) => displayName),
  );
  const near = named.filter(({ displayName }) => nearest.includes(displayName));
  const told = (near.length > 0 ? near : named).slice(0, 3).map(({ id, displayName }) => `${displayName} (${id})`);
  return [
    {
      path: "defaultProviderId",
      message: `is not the id of a provider that this workspace can use${orNearest(told)}`,
    },
  ];
}

function unknownModel(wanted: string, instances: readonly ProviderInstance[]): FieldError[] {
  const found = findModel(wanted, instances);
  if (found.found) return [];
  return [{ path: "defaultModel", message: `is not a model that this workspace can use${orNearest(found.nearest)}` }];
}

/**
 * A default names something that every member can use: in a shared workspace nobody's own provider.
 * @throws AppError `invalid_request` with the nearest names
 */
export async function checkDefaults(call: Settings): Promise<void> {
  const { defaultModel, defaultProviderId } = call.body;
  const workspace = call.signedIn.workspaces.find(({ id }) => id === call.params.id);
  // Whoever may not change it at all hears that, from the store.
  if (workspace?.role !== "owner" && workspace?.role !== "admin") return;
  if (typeof defaultModel !== "string" && typeof defaultProviderId !== "string") return;
  const instances = await usableInstances(call, workspace.id, workspace.personal ? "everything" : "shared");
  const errors = [
    ...(typeof defaultProviderId === "string" ? unknownProvider(defaultProviderId, instances) : []),
    ...(typeof defaultModel === "string" ? unknownModel(defaultModel, instances) : []),
  ];
  const [first] = errors;
  if (first) throw new AppError("invalid_request", `\`${first.path}\`: ${first.message}.`, { errors });
}
