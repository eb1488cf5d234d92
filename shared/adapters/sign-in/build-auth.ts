import { apiKey } from "@better-auth/api-key";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { APIError, isAPIError } from "better-auth/api";
import { betterAuth } from "better-auth/minimal";
import { bearer } from "better-auth/plugins/bearer";
import { deviceAuthorization } from "better-auth/plugins/device-authorization";
import { v7 } from "uuid";
import { cleanText } from "../../contract/primitives.ts";
import { accountLimitPlugin } from "./account-limit.ts";
import { type Announce, announceAfter } from "./announce.ts";
import { logFailure } from "./failure-response.ts";
import { OIDC_PROVIDER_ID, type OidcConfiguration, oidcPlugin } from "./oidc.ts";
import { rateLimits } from "./rate-limits.ts";
import { resetMail } from "./sign-in-mail.ts";
import { API_KEY_PREFIX, SESSION_LIFETIME_SECONDS, type SignInOptions } from "./sign-in-options.ts";
import type { SignUpPolicy } from "./sign-up-policy.ts";
import { workspacesPlugin } from "./workspaces-plugin.ts";

/** The programs that may ask for a device code. */
const DEVICE_CLIENTS: readonly string[] = ["mosaic-cli", "mosaic-connector"];

const plugins = (options: SignInOptions, announce: Announce) => [
  bearer(),
  accountLimitPlugin(options),
  workspacesPlugin(options, announce),
  apiKey({
    defaultPrefix: API_KEY_PREFIX,
    maximumNameLength: 100,
    enableMetadata: true,
    keyExpiration: { maxExpiresIn: 3_650 },
    // Its own default is 10 requests a day; ours are set at the edge, for every credential alike.
    rateLimit: { enabled: false },
  }),
  deviceAuthorization({
    verificationUri: `${options.settings.PUBLIC_URL}/device`,
    expiresIn: "15m",
    interval: "5s",
    validateClient: (clientId) => DEVICE_CLIENTS.includes(clientId),
  }),
];

const advanced = ({ settings, runInBackground }: SignInOptions) => ({
  database: { generateId: () => v7() },
  useSecureCookies: settings.PUBLIC_URL.startsWith("https:"),
  ipAddress: { ipAddressHeaders: ["cf-connecting-ip", "x-forwarded-for"] },
  backgroundTasks: { handler: (work: Promise<unknown>) => runInBackground(work) },
  // Said aloud because better-auth leaves both out where it thinks it is being tested.
  disableOriginCheck: false,
  disableCSRFCheck: false,
});

function emailAndPassword({ mailer }: SignInOptions) {
  return {
    enabled: true,
    minPasswordLength: 10,
    maxPasswordLength: 256,
    autoSignIn: true,
    revokeSessionsOnPasswordReset: true,
    resetPasswordTokenExpiresIn: 3600,
    sendResetPassword: async ({ user, url }: { user: { email: string }; url: string }) => {
      try {
        await mailer.send(resetMail(user.email, url));
      } catch (error) {
        logFailure("a password reset's mail was not sent", error);
      }
    },
  };
}

const MAX_NAME_LENGTH = 100;
const tooLong = (message: string) => new APIError("BAD_REQUEST", { code: "INVALID_REQUEST", message });

function requireUser({ name, email, image }: { name?: unknown; email?: unknown; image?: unknown }): void {
  if (typeof name === "string" && name.length > MAX_NAME_LENGTH) throw tooLong("A name has at most 100 characters.");
  if (typeof email === "string" && email.length > 254) throw tooLong("An e-mail address has at most 254 characters.");
  if (typeof image === "string" && image.length > 2_000)
    throw tooLong("An image is an address of at most 2,000 characters.");
}

const hooks = (policy: SignUpPolicy, announce: Announce) => ({
  user: {
    create: {
      before: async <User extends { name: string; email: string }>(user: User, context: SignUpContext | null) => {
        requireUser(user);
        const id = v7();
        await policy.admit({ id, email: user.email, setupToken: setupTokenOf(context) });
        const name = cleanText(user.name).trim() || user.email.split("@")[0] || "Someone";
        return { data: { ...user, id, name } };
      },
    },
    update: { before: async (user: { name?: unknown; image?: unknown }) => requireUser(user) },
  },
  session: {
    create: { before: async ({ userId }: { userId: string }) => policy.settle(userId) },
    delete: {
      after: async ({ id, userId }: { id: string; userId: string }) => announce.revoked({ credentialId: id, userId }),
    },
  },
});

interface SignUpContext {
  headers?: Headers | undefined;
  body?: unknown;
}

function setupTokenOf(context: SignUpContext | null): string | null {
  const header = context?.headers?.get("x-setup-token");
  if (header) return header;
  const body = context?.body;
  if (typeof body !== "object" || body === null || !("setupToken" in body)) return null;
  return typeof body.setupToken === "string" ? body.setupToken : null;
}

/** better-auth as this house runs it. With `oidc`, its first use asks the issuer for its addresses. */
export function buildAuth(
  options: SignInOptions,
  policy: SignUpPolicy,
  announce: Announce,
  oidc: OidcConfiguration | null,
) {
  const { settings, database } = options;
  return betterAuth({
    appName: "Mosaic",
    baseURL: settings.PUBLIC_URL,
    basePath: "/api/auth",
    secret: settings.BETTER_AUTH_SECRET,
    trustedOrigins: [settings.PUBLIC_URL, ...settings.ALLOWED_ORIGINS],
    database: drizzleAdapter(database.drizzle, { provider: "pg", schema: database.tables, transaction: false }),
    advanced: advanced(options),
    telemetry: { enabled: false },
    logger: { level: "error", log: (_level, message) => console.error(`sign-in: ${withoutParameters(message)}`) },
    onAPIError: {
      // What is no answer of better-auth's own goes up to `handle`, which knows a lost database from bad input.
      onError: (error) => {
        if (!isAPIError(error)) throw error;
      },
    },
    rateLimit: { enabled: true, storage: "database", ...rateLimits },
    session: { expiresIn: SESSION_LIFETIME_SECONDS, updateAge: 24 * 3600, cookieCache: { enabled: false } },
    emailAndPassword: emailAndPassword(options),
    account: { accountLinking: { enabled: true, trustedProviders: [OIDC_PROVIDER_ID] } },
    databaseHooks: hooks(policy, announce),
    hooks: { after: announceAfter(announce) },
    plugins: [...plugins(options, announce), ...(oidc ? [oidcPlugin(oidc)] : [])],
  });
}

/** The database driver repeats a failed query with its parameters, which are credentials here. */
const withoutParameters = (message: string): string => (message.split(/\n|params:/i)[0] ?? "").slice(0, 300);
