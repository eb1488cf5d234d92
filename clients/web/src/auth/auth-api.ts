import * as z from "zod";
import { ApiError } from "../../../../shared/client/api-error.ts";

const AuthFailure = z.object({
  message: z.string().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  error_description: z.string().optional(),
});

const Redirect = z.object({ url: z.string() });
const Role = z.enum(["owner", "admin", "member", "viewer"]).catch("member");
export type Role = z.infer<typeof Role>;
const Member = z.object({
  id: z.string(),
  userId: z.string(),
  role: Role,
  user: z.object({ name: z.string(), email: z.string() }),
});
export type Member = z.infer<typeof Member>;
const Invitation = z.object({ id: z.string(), email: z.string(), role: Role, status: z.string() });
export type Invitation = z.infer<typeof Invitation>;
const People = z.object({ members: z.array(Member), invitations: z.array(Invitation) });
const OwnInvitation = Invitation.extend({
  organizationId: z.string(),
  organizationName: z.string(),
  inviterEmail: z.string(),
});

/** better-auth's codes, or its message where it has none, in our words; what is missing here shows its own message. */
const SENTENCES: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: "That e-mail and password do not belong together. Check both and try again.",
  USER_ALREADY_EXISTS: "An account with this e-mail exists already. Sign in instead.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "An account with this e-mail exists already. Sign in instead.",
  PASSWORD_TOO_SHORT: "The password is too short: use at least 10 characters.",
  PASSWORD_TOO_LONG: "The password is too long: use at most 256 characters.",
  INVALID_EMAIL: "That is not an e-mail address.",
  YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION:
    "This invitation is for another e-mail address. Sign in with the address that it was sent to.",
  "Invitation not found!": "This invitation is used up, taken back or too old. Ask for a new one.",
  INVITATION_NOT_FOUND: "This invitation is used up, taken back or too old. Ask for a new one.",
  USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION: "This person is in the workspace already.",
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
  const text =
    SENTENCES[code] ?? SENTENCES[body.message ?? ""] ?? body.detail ?? body.error_description ?? body.message;
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
  /** @returns the provider's address to go on at. */
  signInElsewhere: (returnTo: string) =>
    call("POST", "/sign-in/social", Redirect, {
      provider: "oidc",
      callbackURL: returnTo,
      errorCallbackURL: "/sign-in",
      disableRedirect: true,
    }),
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
  /** The people of a workspace, and who is invited. */
  people: (workspaceId: string) =>
    call("GET", `/organization/get-full-organization?organizationId=${encodeURIComponent(workspaceId)}`, People),
  invite: (workspaceId: string, email: string, role: Role) =>
    call("POST", "/organization/invite-member", Invitation, { organizationId: workspaceId, email, role }),
  takeBackInvitation: (invitationId: string) =>
    call("POST", "/organization/cancel-invitation", Anything, { invitationId }),
  changeRole: (workspaceId: string, memberId: string, role: Role) =>
    call("POST", "/organization/update-member-role", Anything, { organizationId: workspaceId, memberId, role }),
  removeMember: (workspaceId: string, memberId: string) =>
    call("POST", "/organization/remove-member", Anything, { organizationId: workspaceId, memberIdOrEmail: memberId }),
  leaveWorkspace: (workspaceId: string) =>
    call("POST", "/organization/leave", Anything, { organizationId: workspaceId }),
  invitation: (id: string) => call("GET", `/organization/get-invitation?id=${encodeURIComponent(id)}`, OwnInvitation),
  acceptInvitation: (invitationId: string) =>
    call("POST", "/organization/accept-invitation", Anything, { invitationId }),
  rejectInvitation: (invitationId: string) =>
    call("POST", "/organization/reject-invitation", Anything, { invitationId }),
};
