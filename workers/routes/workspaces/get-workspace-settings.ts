import { WorkspaceSettings } from "../../../shared/contract/account.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const getWorkspaceSettings = defineRoute({
  method: "get",
  path: "/api/workspaces/{id}/settings",
  operationId: "getWorkspaceSettings",
  summary: "A workspace's settings",
  tag: "workspaces",
  ids: [{ in: "path", name: "id", of: "workspace" }],
  versioned: true,
  withoutDatabase: "Settings are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The settings.", body: WorkspaceSettings },
  handle: async ({ services, scope, params }) => {
    const settings = await services.accounts.settings(scope, params.id);
    if (!settings) throw new AppError("not_found", "There is no such workspace, or you are not a member of it.");
    return settings;
  },
});
