import { UpdateWorkspaceSettings, WorkspaceSettings } from "../../../shared/contract/account.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { checkDefaults } from "./check-defaults.ts";

export const updateWorkspaceSettings = defineRoute({
  method: "patch",
  path: "/api/workspaces/{id}/settings",
  operationId: "updateWorkspaceSettings",
  summary: "Changes a workspace's settings, from the next message on",
  tag: "workspaces",
  ids: [
    { in: "path", name: "id", of: "workspace" },
    { in: "body", name: "defaultProviderId", of: "provider" },
  ],
  errors: ["forbidden", "version_conflict"],
  body: UpdateWorkspaceSettings,
  versioned: true,
  withoutDatabase:
    "Settings are in the database, which cannot be reached right now. Nothing was changed; try again in a moment.",
  answer: { status: 200, description: "The settings as they are now.", body: WorkspaceSettings },
  handle: async (call) => {
    const { services, scope, params, body, ifVersion } = call;
    await checkDefaults(call);
    const settings = await services.accounts.updateSettings(scope, params.id, body, ifVersion);
    if (!settings) throw new AppError("not_found", "There is no such workspace, or you are not a member of it.");
    return settings;
  },
});
