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
  answer: { status: 201, description: "The new workspace.", body: Workspace },
  handle: async ({ services, scope, body }) => await services.accounts.createWorkspace(scope, body.name),
});
