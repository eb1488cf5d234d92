import { ConnectableKind, type ProviderLogin } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { isAway, requireSignIn } from "../../middleware/sign-in.ts";
import { type Call, defineOpenRoute } from "../route.ts";
import { type LoginPage, loginPage } from "./login-page.ts";

const PROVIDERS = { to: "/settings/providers", text: "Back to Mosaic" };

/** Also what the wrong person reads, whom somebody sent to the vendor's page: they must not pass on what they hold. */
const NOT_YOURS: LoginPage = {
  status: 200,
  title: "One more step",
  text: [
    "This browser is not signed in to Mosaic as whoever started this login.",
    "If you started it yourself, in a terminal or another browser: copy the whole address of this page and paste it there, where the login waits for it.",
    "If you did not start it, close this window. Give the address to nobody: it would let them use your account at the vendor.",
  ],
};

function pageOf(login: ProviderLogin): LoginPage {
  if (login.state === "complete")
    return { status: 200, title: "Done", text: ["You can close this window and go back to Mosaic."], link: PROVIDERS };
  if (login.state === "failed")
    return { status: 200, title: "The login failed", text: [login.error ?? "Start it again."], link: PROVIDERS };
  const text = ["Another window is ending this login right now. Reload this page in a few seconds."];
  return { status: 200, title: "One moment", text };
}

const STATUSES: Readonly<Record<string, LoginPage["status"]>> = {
  invalid_request: 400,
  provider_unavailable: 503,
  database_unavailable: 503,
};

function pageOfError(error: AppError): LoginPage {
  const status = STATUSES[error.code] ?? 500;
  const again = status === 503 ? ["Nothing is lost: reload this page in a moment."] : [];
  return { status, title: "The login did not end", text: [error.message, ...again], link: PROVIDERS };
}

type Needs = Pick<Call<"/api/providers/{kind}/callback">, "request" | "params" | "services">;

/** Only who started a login ends it: whoever was sent a vendor's link by somebody else would connect them to their account. */
async function conclude({ request, params, services }: Needs): Promise<LoginPage> {
  try {
    const { principal } = await requireSignIn(services, request.headers);
    const kind = ConnectableKind.parse(params.kind);
    const own = new URL(request.url);
    // As the vendor was told to come back: behind a proxy the request itself came to another address.
    const url = `${services.settings.PUBLIC_URL}${own.pathname}${own.search}`;
    const login = await services.logins.finishByState({ userId: principal.userId }, kind, url);
    return login ? pageOf(login) : NOT_YOURS;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const isNobody = !isAway(error) && (error.code === "unauthenticated" || error.code === "expired");
    return isNobody ? NOT_YOURS : pageOfError(error);
  }
}

export const loginCallback = defineOpenRoute({
  method: "get",
  path: "/api/providers/{kind}/callback",
  operationId: "loginCallback",
  summary: "Where a vendor sends the browser back to; a page for people",
  tag: "providers",
  words: { kind: ConnectableKind },
  signIn: "none",
  answer: { status: 200, description: "A page that says how it went.", mediaTypes: ["text/html"] },
  handle: async (call) => loginPage(await conclude(call)),
});
