import type { BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware, isAPIError } from "better-auth/api";
import * as z from "zod";
import { AppError } from "../../domain/app-error.ts";
import { accountLimit } from "./rate-limits.ts";
import type { SignInOptions } from "./sign-in-options.ts";

const Attempt = z.looseObject({ email: z.string() });
const isPasswordSignIn = ({ path }: { path?: string | undefined }): boolean => path === "/sign-in/email";

/**
 * Wrong passwords for one e-mail address, from however many addresses they come. An attempt is counted before the
 * password is looked at, so that many at once are no way around, and taken back unless the password was wrong. What
 * nobody has an account for is counted alike: the answer does not tell whether there is one.
 */
export function accountLimitPlugin({ database: { attempts }, settings }: SignInOptions) {
  const keyOf = async (body: unknown): Promise<string | null> => {
    const attempt = Attempt.safeParse(body);
    return attempt.success ? `account|${await hashed(settings.BETTER_AUTH_SECRET, attempt.data.email)}` : null;
  };
  const before = createAuthMiddleware(async ({ body }) => {
    const key = await keyOf(body);
    if (key === null) return;
    const { attempts: made, secondsLeft } = await attempts.count(key, accountLimit.window);
    if (made > accountLimit.max) throw tooMany(secondsLeft);
  });
  const after = createAuthMiddleware(async ({ body, context: { returned } }) => {
    if (isAPIError(returned) && (returned.statusCode === 401 || returned.statusCode === 429)) return;
    const key = await keyOf(body);
    if (key !== null) await attempts.takeBack(key);
  });
  return {
    id: "account-limit",
    hooks: {
      before: [{ matcher: isPasswordSignIn, handler: before }],
      after: [{ matcher: isPasswordSignIn, handler: after }],
    },
  } satisfies BetterAuthPlugin;
}

function tooMany(seconds: number): AppError {
  const minutes = Math.ceil(seconds / 60);
  const wait = minutes === 1 ? "a minute" : `${minutes} minutes`;
  const message = `Too many wrong passwords for this e-mail address; try again in ${wait}.`;
  return new AppError("rate_limited", message, { retryAfterMs: seconds * 1000 });
}

/** The table of rates is to tell nobody's address. Case as better-auth looks accounts up. */
async function hashed(secret: string, email: string): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, bytes(`account-limit:${email.toLowerCase()}`));
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
