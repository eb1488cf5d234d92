import { AppError } from "../../domain/app-error.ts";
import type { SignIn } from "../../ports/sign-in.ts";
import { MAIL_NOT_CONFIGURED } from "../mail/no-mailer.ts";
import { createAnnounce } from "./announce.ts";
import { authenticate } from "./authenticate.ts";
import { buildAuth } from "./build-auth.ts";
import { cleanRequest } from "./clean-request.ts";
import { failureResponse } from "./failure-response.ts";
import { isIssuerThere, OIDC_PROVIDER_ID, oidcConfiguration } from "./oidc.ts";
import { createProofs } from "./proof.ts";
import type { SignInOptions } from "./sign-in-options.ts";
import { createSignUpPolicy } from "./sign-up-policy.ts";

export type { SignInOptions, SignInSettings } from "./sign-in-options.ts";

/** Milliseconds between two questions to an identity provider that does not answer. */
const ISSUER_RETRY_MS = 30_000;

/** The sign-in system of an isolate; made once, it opens nothing until it is asked. */
export function createSignIn(options: SignInOptions): SignIn {
  const instance = authOnDemand(options);
  const announce = createAnnounce(options.events);
  return {
    authenticate: (headers) => authenticate(options, headers),
    ...createProofs(options.settings),
    handle: async (request) => {
      try {
        refuseResetWithoutMail(options, request);
        const cleaned = await cleanRequest(request);
        const { auth, withoutIssuer } = await instance();
        if (withoutIssuer) refuseSingleSignOn(cleaned);
        return inOurWords(await auth.handler(cleaned));
      } catch (error) {
        return failureResponse(error);
      }
    },
    deleteUser: async ({ userId }) => {
      const { credentialIds, workspaceIds } = await options.database.endAccount(userId);
      for (const credentialId of credentialIds) await announce.revoked({ credentialId, userId });
      for (const workspaceId of workspaceIds) await announce.membershipChanged({ userId, workspaceId });
    },
  };
}

interface Instance {
  auth: ReturnType<typeof buildAuth>;
  /** Single sign-on is configured, but its issuer did not answer: everything else works, and it is asked again later. */
  withoutIssuer: boolean;
  builtAt: number;
}

/**
 * One better-auth per isolate. It is kept only once it is ready, because a promise of one request must not be awaited
 * by another in a Worker; requests that come before that build their own.
 */
function authOnDemand(options: SignInOptions): () => Promise<Instance> {
  const policy = createSignUpPolicy(options.database, options.settings);
  const announce = createAnnounce(options.events);
  const oidc = oidcConfiguration(options.settings);
  let kept: Instance | null = null;
  return async () => {
    if (kept && !(kept.withoutIssuer && Date.now() - kept.builtAt > ISSUER_RETRY_MS)) return kept;
    const reachable = oidc !== null && (await isIssuerThere(oidc)) ? oidc : null;
    const auth = buildAuth(options, policy, announce, reachable);
    const { socialProviders } = await auth.$context;
    const withoutIssuer = oidc !== null && !socialProviders.some(({ id }) => id === OIDC_PROVIDER_ID);
    kept = { auth, withoutIssuer, builtAt: Date.now() };
    return kept;
  };
}

function refuseResetWithoutMail({ mailer }: SignInOptions, request: Request): void {
  if (!mailer.unconfigured || !new URL(request.url).pathname.endsWith("/request-password-reset")) return;
  throw new AppError("invalid_request", MAIL_NOT_CONFIGURED);
}

function refuseSingleSignOn(request: Request): void {
  const { pathname } = new URL(request.url);
  if (!pathname.endsWith("/sign-in/social") && !pathname.endsWith(`/callback/${OIDC_PROVIDER_ID}`)) return;
  throw new AppError("provider_unavailable", "Single sign-on does not answer right now; try again in a moment.", {
    retryAfterMs: ISSUER_RETRY_MS,
  });
}

/**
 * A refusal for haste in our own shape; and nothing of a 500's words, into which some routes put the database's.
 */
function inOurWords(response: Response): Response {
  if (response.status === 429) {
    const seconds = Number(response.headers.get("x-retry-after")) || 1;
    const message = `Too many attempts; try again in ${seconds} seconds.`;
    return failureResponse(new AppError("rate_limited", message, { retryAfterMs: seconds * 1000 }));
  }
  if (response.status < 500) return response;
  const message = "Something went wrong in sign-in; try again, and tell the operator if it stays.";
  return failureResponse(new AppError("internal", message));
}
