import { AppError } from "../../../shared/domain/app-error.ts";
import { namedCandidate } from "../../../shared/domain/routing/choose-model.ts";
import { type Asker, usableInstances } from "./usable-models.ts";

/**
 * How the name of a model is kept that the caller can use in a workspace.
 * @throws AppError `invalid_request` with the nearest names
 */
export async function namedModel(asker: Asker, workspaceId: string, name: string): Promise<string> {
  const found = namedCandidate(name, await usableInstances(asker, workspaceId));
  if (!("nearest" in found)) return found.name;
  const hint =
    found.nearest.length > 0 ? `Did you mean ${found.nearest.join(" or ")}?` : "Settings, Models lists what there is.";
  const message = `No provider here has a model "${name}". ${hint}`;
  throw new AppError("invalid_request", message, { errors: [{ path: "model", message }] });
}
