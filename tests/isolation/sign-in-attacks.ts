import type { Account } from "./real-house.ts";

/** What an attacker knows of the victim, and has of their own. */
export interface Known {
  victim: Account;
  teamId: string;
  teamSlug: string;
  /** The victim's own membership of their team. */
  memberId: string;
  /** That of a plain member of the victim's team. */
  colleagueMemberId: string;
  /** An invitation that the victim sent to someone else. */
  invitationId: string;
  keyId: string;
  /** Code that the victim has opened in the browser and not approved yet. */
  userCode: string;
  accountId: string;
  own: { account: Account; teamId: string };
}

/** A request that names something of the victim's: in the query of a GET, in the body of a POST. */
export interface Attempt {
  named: Record<string, unknown>;
  /** It is answered, because the name is not believed, or names nothing: it must show and change nothing all the same. */
  harmless?: true;
}

type Attack = ((known: Known) => Attempt[]) | { noForeignIds: string };

const none = (noForeignIds: string) => ({ noForeignIds });
const ownSession = none("acts on the caller's own session and account");
const secret = none("takes a secret that only mail or the provider tells, no id");

/** One entry per endpoint that better-auth serves; the test names those that are missing. */
export const SIGN_IN_ATTACKS: Record<string, Attack> = {
  "GET /account-info": ({ accountId, victim }) => [{ named: { accountId } }, { named: { accountId: victim.id } }],
  "GET /api-key/get": ({ keyId }) => [{ named: { id: keyId } }],
  "GET /api-key/list": ({ teamId }) => [{ named: { organizationId: teamId } }],
  "POST /api-key/create": ({ victim, teamId }) => [
    { named: { name: "k", userId: victim.id } },
    { named: { name: "k", organizationId: teamId }, harmless: true },
  ],
  "POST /api-key/delete": ({ keyId }) => [{ named: { keyId } }],
  "POST /api-key/update": ({ keyId, victim }) => [
    { named: { keyId, name: "stolen" } },
    { named: { keyId, enabled: false } },
    { named: { keyId, name: "stolen", userId: victim.id } },
  ],
  "GET /delete-user/callback": secret,
  "POST /delete-user": ownSession,
  "GET /device": ({ userCode }) => [{ named: { user_code: userCode }, harmless: true }],
  "POST /device/approve": ({ userCode }) => [{ named: { userCode } }],
  "POST /device/deny": ({ userCode }) => [{ named: { userCode } }],
  "POST /device/code": ({ victim }) => [{ named: { client_id: "mosaic-cli", user_id: victim.id }, harmless: true }],
  "POST /device/token": secret,
  "GET /error": none("a page"),
  "GET /ok": none("a page"),
  "GET /list-accounts": ownSession,
  "GET /list-sessions": ownSession,
  "GET /get-session": ownSession,
  "POST /get-session": ownSession,
  "GET /organization/get-active-member": ownSession,
  "GET /organization/get-active-member-role": ({ teamId, teamSlug, victim }) => [
    { named: { organizationId: teamId } },
    { named: { organizationSlug: teamSlug } },
    { named: { organizationId: teamId, userId: victim.id } },
  ],
  "GET /organization/get-full-organization": ({ teamId, teamSlug }) => [
    { named: { organizationId: teamId } },
    { named: { organizationSlug: teamSlug } },
  ],
  "GET /organization/get-organization": ({ teamId, teamSlug }) => [
    { named: { organizationId: teamId } },
    { named: { organizationSlug: teamSlug } },
  ],
  "GET /organization/get-invitation": ({ invitationId }) => [{ named: { id: invitationId } }],
  "GET /organization/list": ownSession,
  "GET /organization/list-invitations": ({ teamId }) => [{ named: { organizationId: teamId } }],
  "GET /organization/list-members": ({ teamId, teamSlug }) => [
    { named: { organizationId: teamId } },
    { named: { organizationSlug: teamSlug } },
  ],
  "GET /organization/list-user-invitations": ({ victim }) => [{ named: { email: victim.email } }],
  "POST /organization/accept-invitation": ({ invitationId }) => [{ named: { invitationId } }],
  "POST /organization/cancel-invitation": ({ invitationId }) => [{ named: { invitationId } }],
  "POST /organization/reject-invitation": ({ invitationId }) => [{ named: { invitationId } }],
  "POST /organization/check-slug": none("says of a slug whether it is taken, as creating with it would"),
  "POST /organization/create": ({ victim }) => [
    { named: { name: "Mine", slug: `mine-${crypto.randomUUID()}`, userId: victim.id }, harmless: true },
  ],
  "POST /organization/delete": ({ teamId }) => [{ named: { organizationId: teamId } }],
  "POST /organization/has-permission": ({ teamId }) => [
    { named: { organizationId: teamId, permissions: { member: ["delete"] } } },
  ],
  "POST /organization/invite-member": ({ teamId, own }) => [
    { named: { organizationId: teamId, email: own.account.email, role: "owner" } },
  ],
  "POST /organization/leave": ({ teamId }) => [{ named: { organizationId: teamId } }],
  "POST /organization/remove-member": ({ teamId, victim, memberId, colleagueMemberId, own }) => [
    { named: { organizationId: teamId, memberIdOrEmail: victim.email } },
    { named: { organizationId: teamId, memberIdOrEmail: colleagueMemberId } },
    { named: { organizationId: own.teamId, memberIdOrEmail: memberId } },
    { named: { organizationId: own.teamId, memberIdOrEmail: colleagueMemberId } },
  ],
  "POST /organization/set-active": ({ teamId, teamSlug }) => [
    { named: { organizationId: teamId } },
    { named: { organizationSlug: teamSlug } },
  ],
  "POST /organization/update": ({ teamId }) => [{ named: { organizationId: teamId, data: { name: "stolen" } } }],
  "POST /organization/update-member-role": ({ teamId, memberId, colleagueMemberId, own }) => [
    { named: { organizationId: teamId, memberId, role: "viewer" } },
    { named: { organizationId: teamId, memberId: colleagueMemberId, role: "viewer" } },
    { named: { organizationId: own.teamId, memberId, role: "viewer" } },
    { named: { organizationId: own.teamId, memberId: colleagueMemberId, role: "viewer" } },
  ],
  "GET /reset-password/:token": secret,
  "POST /reset-password": secret,
  "POST /request-password-reset": none("answers alike for every address"),
  "GET /verify-email": secret,
  "POST /send-verification-email": none("is not switched on"),
  "GET /callback/:id": secret,
  "POST /callback/:id": secret,
  "POST /change-email": ownSession,
  "POST /change-password": ownSession,
  "POST /get-access-token": ({ accountId, victim }) => [
    { named: { accountId } },
    { named: { accountId, userId: victim.id } },
  ],
  "POST /refresh-token": ({ accountId, victim }) => [
    { named: { accountId } },
    { named: { accountId, userId: victim.id } },
  ],
  "POST /link-social": ownSession,
  "POST /unlink-account": ({ accountId }) => [
    { named: { accountId } },
    { named: { providerId: "credential", accountId } },
  ],
  "POST /revoke-other-sessions": ownSession,
  "POST /revoke-sessions": ownSession,
  "POST /revoke-session": ({ victim }) => [{ named: { token: victim.token }, harmless: true }],
  "POST /sign-in/email": secret,
  "POST /sign-in/social": secret,
  "POST /sign-up/email": none("makes an account"),
  "POST /sign-out": ownSession,
  "POST /update-session": ({ teamId, victim }) => [
    { named: { activeOrganizationId: teamId } },
    { named: { userId: victim.id } },
  ],
  "POST /update-user": ({ victim }) => [{ named: { name: "mine", id: victim.id, userId: victim.id }, harmless: true }],
  "POST /verify-password": ownSession,
};

/** What better-auth serves and nobody has judged, and what was judged and is not served, by name. */
export function gapsInSignIn(served: readonly string[], attacks: Record<string, Attack>): string[] {
  return [
    ...served.filter((name) => !(name in attacks)).map((name) => `${name} is served and not judged`),
    ...Object.keys(attacks)
      .filter((name) => !served.includes(name))
      .map((name) => `${name} is judged and not served`),
  ];
}
