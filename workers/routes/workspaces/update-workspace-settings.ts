import { UpdateWorkspaceSettings, WorkspaceSettings } from "../../../shared/contract/account.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const updateWorkspaceSettings = defineRoute({
  method: "patch",
  path: "/api/workspaces/{id}/settings",
  operationId: "updateWorkspaceSettings",
  summary: "Changes a workspace's settings, from the next message on",
  tag: "workspaces",
  ids: [{ in: "path", name: "id", of: "workspace" }],
  errors: ["forbidden", "version_conflict"],
  body: UpdateWorkspaceSettings,
  versioned: true,
  withoutDatabase:
    "Settings are in the database, which cannot be reached right now. Nothing was changed; try again in a moment.",
  answer: { status: 200, description: "The settings as they are now.", body: WorkspaceSettings },
  handle: async ({ services, scope, params, body, ifVersion }) => {
    const settings = await services.accounts.updateSettings(scope, params.id, body, ifVersion);
    if (!settings) throw new AppError("not_found", "There is no such workspace, or you are not a member of it.");
    return settings;
  },
});
