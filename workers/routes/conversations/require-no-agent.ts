import { AppError } from "../../../shared/domain/app-error.ts";

/**
 * Agents and personalities cannot be made yet, so no id names one.
 * @throws AppError `not_found`, as for anything that is not the caller's.
 */
export function requireNoAgent(body: { agentId?: string | undefined; personalityId?: string | undefined }): void {
  if (body.agentId !== undefined) throw new AppError("not_found", "There is no agent with this `agentId`.");
  if (body.personalityId !== undefined) {
    throw new AppError("not_found", "There is no personality with this `personalityId`.");
  }
}
