import { SignInOptions } from "../../../shared/contract/account.ts";
import { defineOpenRoute } from "../route.ts";

export const getSignInOptions = defineOpenRoute({
  method: "get",
  path: "/api/sign-in-options",
  operationId: "getSignInOptions",
  summary: "How people sign in and up here, for the page that asks them to",
  tag: "me",
  signIn: "none",
  answer: { status: 200, description: "The options.", body: SignInOptions },
  handle: async ({ services }) => {
    const { SIGN_UP, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_NAME } = services.settings;
    return { signUp: SIGN_UP, singleSignOn: OIDC_ISSUER && OIDC_CLIENT_ID ? { name: OIDC_NAME } : null };
  },
});
