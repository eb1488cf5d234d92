import { Workspace } from "../../../shared/contract/account.ts";
import { pageOf } from "../../../shared/contract/primitives.ts";
import { defineRoute } from "../route.ts";

export const listWorkspaces = defineRoute({
  method: "get",
  path: "/api/workspaces",
  operationId: "listWorkspaces",
  summary: "The caller's workspaces, the personal one first",
  tag: "workspaces",
  withoutDatabase: "Workspaces are in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "All of them.", body: pageOf(Workspace) },
  handle: async ({ signedIn }) => ({ items: signedIn.workspaces, nextCursor: null }),
});
