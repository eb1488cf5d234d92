import { Me } from "../../../shared/contract/account.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import type { Scope } from "../../../shared/ports/conversation-store.ts";
import type { Services } from "../../../shared/runtime/services.ts";
import { personalWorkspaceId } from "../../personal-workspace.ts";
import { defineRoute } from "../route.ts";

/** Without a wish: what the first provider that is not down prefers. */
async function systemDefault(services: Services, scope: Scope, workspaceId: string) {
  const instances = services.providers.instances(await services.configuration.read(scope, workspaceId));
  const first = instances.find(
    ({ kind, health, models }) => kind !== "guide" && health !== "down" && models.length > 0,
  );
  const model = first?.models[0]?.id;
  return model === undefined ? { value: null, from: "default" as const } : { value: model, from: "system" as const };
}

export const getMe = defineRoute({
  method: "get",
  path: "/api/me",
  operationId: "getMe",
  summary: "Who is signed in, where, and with which effective settings",
  tag: "me",
  withoutDatabase: "Your account is in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The caller.", body: Me },
  handle: async ({ services, scope, signedIn }) => {
    const { user, workspaces, principal } = signedIn;
    const defaultWorkspaceId = personalWorkspaceId(workspaces);
    const settings = await services.accounts.settings(scope, defaultWorkspaceId);
    if (!settings) throw new AppError("not_found", "Your workspace is gone.");
    const chosen = settings.defaultModel;
    return {
      user: { ...user, isInstanceAdmin: principal.isInstanceAdmin },
      workspaces,
      defaultWorkspaceId,
      settings: {
        defaultModel:
          chosen === null
            ? await systemDefault(services, scope, defaultWorkspaceId)
            : { value: chosen, from: "workspace" as const },
      },
    };
  },
});
