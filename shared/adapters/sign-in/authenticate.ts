import { defaultKeyHasher } from "@better-auth/api-key";
import type { Authentication } from "../../ports/sign-in.ts";
import { type ShownCredential, shownCredential } from "./credentials.ts";
import { logFailure } from "./failure-response.ts";
import { SESSION_LIFETIME_SECONDS, type SignInOptions } from "./sign-in-options.ts";

/** For keys without an end; sockets and tickets need a date. */
const NEVER = "9999-12-31T23:59:59.999Z";

/**
 * Proves who is asking in two round trips: the credential, then the workspaces. Nothing is cached, so that a revoked
 * credential is worth nothing from the next request on.
 * @throws AppError `database_unavailable`
 */
export async function authenticate(options: SignInOptions, headers: Headers): Promise<Authentication> {
  const shown = await shownCredential(headers, options.settings);
  if (!shown) return { state: "anonymous" };
  const found = await findShown(options, shown);
  if (!found) return { state: "expired" };
  const { user } = found;
  const workspaces = await options.accounts.workspaces({ id: user.id, name: user.name });
  if (found.stale) {
    options.runInBackground(
      options.database
        .touch(found, SESSION_LIFETIME_SECONDS)
        .catch((error: unknown) => logFailure("a credential's use was not noted", error)),
    );
  }
  return {
    state: "signed-in",
    via: found.kind === "api-key" ? "api-key" : shown.via,
    user,
    workspaces,
    principal: {
      userId: user.id,
      name: user.name,
      credentialId: found.id,
      credential: found.kind,
      workspaces: workspaces.map(({ id, role }) => ({ id, role })),
      isInstanceAdmin: found.isInstanceAdmin,
      expiresAt: found.expiresAt?.toISOString() ?? NEVER,
    },
  };
}

async function findShown({ database }: SignInOptions, shown: ShownCredential) {
  const sessionToken = shown.via === "api-key" ? null : shown.sessionToken;
  const apiKeyHash = shown.via === "cookie" ? null : await defaultKeyHasher(shown.apiKey);
  if (sessionToken === null && apiKeyHash === null) return null;
  return await database.findCredential({ sessionToken, apiKeyHash });
}
