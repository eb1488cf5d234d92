import { ProviderLogin } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";

export const getLogin = defineRoute({
  method: "get",
  path: "/api/providers/logins/{loginId}",
  operationId: "getLogin",
  summary: "How far a login is; for a device login also asks the vendor, as often as it allows",
  tag: "providers",
  ids: [{ in: "path", name: "loginId", of: "login" }],
  withoutDatabase: "Logins are kept in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The login. `failed` says why in `error`.", body: ProviderLogin },
  handle: async ({ scope, params, services }) => {
    const login = await services.logins.find(scope, params.loginId);
    if (!login) throw new AppError("not_found", "There is no such login, or it is not yours.");
    return login;
  },
});
