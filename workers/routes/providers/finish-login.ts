import { PastedRedirect, ProviderLogin } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const finishLogin = defineRoute({
  method: "post",
  path: "/api/providers/logins/{loginId}/redirect",
  operationId: "finishLogin",
  summary: "Ends a login with the address of the page where it ended in a browser",
  tag: "providers",
  ids: [{ in: "path", name: "loginId", of: "login" }],
  errors: ["provider_unavailable"],
  withoutDatabase: "Logins are kept in the database, which cannot be reached right now; try again in a moment.",
  body: PastedRedirect,
  answer: { status: 200, description: "The login. `failed` says why in `error`.", body: ProviderLogin },
  handle: async ({ scope, params, body, services }) => {
    const login = await services.logins.finish(scope, params.loginId, body);
    if (!login) throw new AppError("not_found", "There is no such login, or it is not yours.");
    return login;
  },
});
