import { CreateWorkspace, Workspace } from "../../../shared/contract/account.ts";
import { defineRoute } from "../route.ts";

export const createWorkspace = defineRoute({
  method: "post",
  path: "/api/workspaces",
  operationId: "createWorkspace",
  summary: "Makes a workspace that the caller owns",
  tag: "workspaces",
  body: CreateWorkspace,
  idempotent: true,
  withoutDatabase: "A new workspace needs the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 201, description: "The new workspace.", body: Workspace },
  handle: async ({ services, scope, body, newId }) => await services.accounts.createWorkspace(scope, body.name, newId),
});
