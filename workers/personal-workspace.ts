import type { Workspace } from "../shared/contract/account.ts";
import { AppError } from "../shared/domain/app-error.ts";

/** Where things go when no workspace is named: the personal one, which every account has. */
export function personalWorkspaceId(workspaces: Workspace[]): string {
  const workspace = workspaces.find(({ personal }) => personal) ?? workspaces[0];
  if (!workspace) throw new AppError("internal", "Your account has no workspace; sign in again.");
  return workspace.id;
}

/** @throws AppError `not_found` when the caller is no member there. */
export function requireMembership(workspaces: Workspace[], workspaceId: string): void {
  if (!workspaces.some(({ id }) => id === workspaceId)) {
    throw new AppError("not_found", "There is no such workspace, or you are not a member of it.");
  }
}

/** @throws AppError `not_found` when the caller is no member there, `forbidden` when they may only read there. */
export function requireEditor(workspaces: Workspace[], workspaceId: string): void {
  requireMembership(workspaces, workspaceId);
  if (workspaces.some(({ id, role }) => id === workspaceId && role === "viewer")) {
    throw new AppError("forbidden", "You may read what is shared in this workspace, not write there.");
  }
}
