import { ConnectableKind, StartedLogin, StartLogin } from "../../../shared/contract/provider.ts";
import { personalWorkspaceId } from "../../personal-workspace.ts";
import { defineRoute } from "../route.ts";

export const startLogin = defineRoute({
  method: "post",
  path: "/api/providers/{kind}/login",
  operationId: "startLogin",
  summary: "Begins a login at a vendor, instead of copying a key",
  tag: "providers",
  words: { kind: ConnectableKind },
  ids: [
    { in: "body", name: "workspaceId", of: "workspace" },
    { in: "body", name: "providerId", of: "provider" },
  ],
  errors: ["provider_failed", "provider_unavailable", "rate_limited"],
  withoutDatabase: "Logins are kept in the database, which cannot be reached right now; try again in a moment.",
  body: StartLogin,
  bodyOptional: true,
  answer: {
    status: 201,
    description: "Open `url`; with a `userCode`, type that there. It is over at `expiresAt`.",
    body: StartedLogin,
  },
  handle: async ({ principal, signedIn, params, body, services }) => {
    const personal = body.scope === "workspace" ? { workspaceId: personalWorkspaceId(signedIn.workspaces) } : {};
    await services.limits.count(principal.userId, "provider-calls");
    return await services.logins.start(principal, ConnectableKind.parse(params.kind), { ...personal, ...body });
  },
});
