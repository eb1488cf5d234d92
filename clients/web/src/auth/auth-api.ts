import * as z from "zod";
import { ApiError } from "../../../../shared/client/api-error.ts";

const AuthFailure = z.object({
  message: z.string().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  error_description: z.string().optional(),
});

/** better-auth's codes in our words; what is missing here shows its own message. */
const SENTENCES: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: "That e-mail and password do not belong together. Check both and try again.",
  USER_ALREADY_EXISTS: "An account with this e-mail exists already. Sign in instead.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "An account with this e-mail exists already. Sign in instead.",
  PASSWORD_TOO_SHORT: "The password is too short: use at least 10 characters.",
  PASSWORD_TOO_LONG: "The password is too long: use at most 256 characters.",
  INVALID_EMAIL: "That is not an e-mail address.",
  INVALID_TOKEN: "This link is used up or too old. Ask for a new one.",
};

export class AuthError extends ApiError {
  /** better-auth's own code, `SETUP_TOKEN_REQUIRED` and the like. */
  readonly authCode: string;
  constructor(authCode: string, status: number, message: string) {
    super({ code: status === 429 ? "rate_limited" : "invalid_request", status, message });
    this.authCode = authCode;
  }
}

function failure(status: number, value: unknown): AuthError {
  const parsed = AuthFailure.safeParse(value);
  const body = parsed.success ? parsed.data : {};
  if (status === 429) return new AuthError("RATE_LIMITED", 429, "Too many tries. Wait a minute, then try again.");
  const code = body.code ?? "";
  const text = SENTENCES[code] ?? body.detail ?? body.error_description ?? body.message;
  return new AuthError(code, status, text || `Sign-in answered with status ${status} and no explanation.`);
}

async function call<Schema extends z.ZodType>(
  method: "GET" | "POST",
  path: string,
  schema: Schema,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<z.output<Schema>> {
  let response: Response;
  try {
    response = await fetch(`/api/auth${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
        ...headers,
      },
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
    });
  } catch {
    throw new ApiError({
      code: "network",
      message: "Mosaic does not answer. Check that it is running.",
      retryable: true,
    });
  }
  const value: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failure(response.status, value);
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new ApiError({ code: "unexpected", message: "Sign-in answered in a way this page cannot read." });
  return parsed.data;
}

const Anything = z.unknown();
const DeviceRequest = z.object({
  user_code: z.string(),
  status: z.enum(["pending", "approved", "denied"]),
  client_id: z.string().optional(),
  scope: z.string().nullish(),
});
const ApiKey = z.object({
  id: z.string(),
  name: z.string().nullable(),
  start: z.string().nullable(),
  createdAt: z.string(),
  lastRequest: z.string().nullish(),
});
export type ApiKey = z.infer<typeof ApiKey>;
const ApiKeys = z.union([z.array(ApiKey), z.object({ apiKeys: z.array(ApiKey) }).transform((body) => body.apiKeys)]);

/** The routes of `/api/auth` that this page uses. Each throws ApiError with a sentence for a person. */
export const authApi = {
  signUp: (body: { name: string; email: string; password: string; setupToken?: string | undefined }) => {
    const { setupToken, ...account } = body;
    return call("POST", "/sign-up/email", Anything, account, setupToken ? { "x-setup-token": setupToken } : {});
  },
  signIn: (body: { email: string; password: string }) => call("POST", "/sign-in/email", Anything, body),
  signOut: () => call("POST", "/sign-out", Anything),
  requestPasswordReset: (email: string) =>
    call("POST", "/request-password-reset", Anything, { email, redirectTo: "/reset-password" }),
  resetPassword: (token: string, newPassword: string) =>
    call("POST", "/reset-password", Anything, { token, newPassword }),
  device: (code: string) => call("GET", `/device?user_code=${encodeURIComponent(code)}`, DeviceRequest),
  approveDevice: (userCode: string) => call("POST", "/device/approve", Anything, { userCode }),
  denyDevice: (userCode: string) => call("POST", "/device/deny", Anything, { userCode }),
  apiKeys: () => call("GET", "/api-key/list", ApiKeys),
  createApiKey: (name: string) => call("POST", "/api-key/create", ApiKey.extend({ key: z.string() }), { name }),
  revokeApiKey: (keyId: string) => call("POST", "/api-key/delete", Anything, { keyId }),
};
