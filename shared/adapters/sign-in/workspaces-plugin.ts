import { APIError } from "better-auth/api";
import { organization } from "better-auth/plugins/organization";
import type { Announce } from "./announce.ts";
import { logFailure } from "./failure-response.ts";
import { invitationMail } from "./sign-in-mail.ts";
import type { SignInOptions } from "./sign-in-options.ts";
import { workspaceAccess, workspaceRoles } from "./workspace-roles.ts";

const WEEK_SECONDS = 7 * 24 * 3600;

const refuse = (message: string) => new APIError("BAD_REQUEST", { code: "INVALID_REQUEST", message });

const requireOneRole = (role: string): void => {
  if (role.includes(",")) throw refuse("A member has one role: owner, admin, member or viewer.");
};

function requireLengths({ name, slug, logo }: { name?: string; slug?: string; logo?: string | null }): void {
  if (name !== undefined && (name.trim() === "" || name.length > 100))
    throw refuse("A workspace's name has 1 to 100 characters.");
  if (slug !== undefined && !/^[a-z0-9][a-z0-9-]{0,62}$/.test(slug)) {
    throw refuse("A workspace's slug has 1 to 63 characters of a-z, 0-9 and dashes, and starts with no dash.");
  }
  if (logo && logo.length > 2000) throw refuse("A logo is an address of at most 2,000 characters.");
}

/**
 * Organizations as workspaces. Deleting one is not offered here: its conversations have objects to be ended first.
 * An invitation's id is its secret, known from the mail; asking for a verified address as well would shut out everyone
 * on an instance without mail.
 */
export const workspacesPlugin = ({ database, settings, mailer }: SignInOptions, announce: Announce) =>
  organization({
    ac: workspaceAccess,
    roles: workspaceRoles,
    creatorRole: "owner",
    membershipLimit: 1_000,
    invitationLimit: 200,
    invitationExpiresIn: WEEK_SECONDS,
    cancelPendingInvitationsOnReInvite: true,
    requireEmailVerificationOnInvitation: false,
    disableOrganizationDeletion: true,
    sendInvitationEmail: async ({ id, email, role, organization: { name }, inviter }) => {
      if (mailer.unconfigured) return;
      const url = `${settings.PUBLIC_URL}/invitations/${id}`;
      try {
        await mailer.send(invitationMail(email, { workspace: name, inviter: inviter.user.name, role, url }));
      } catch (error) {
        logFailure("an invitation's mail was not sent", error);
      }
    },
    organizationHooks: {
      beforeCreateOrganization: async ({ organization: asked }) => requireLengths(asked),
      beforeUpdateOrganization: async ({ organization: asked }) => requireLengths(asked),
      beforeCreateInvitation: async ({ invitation, organization: { id } }) => {
        requireOneRole(invitation.role);
        if (await database.isPersonalWorkspace(id)) {
          throw refuse("A personal workspace stays one person's; create another workspace and invite people there.");
        }
      },
      beforeUpdateMemberRole: async ({ newRole }) => requireOneRole(newRole),
      afterUpdateMemberRole: async ({ member: { userId, organizationId } }) =>
        announce.membershipChanged({ userId, workspaceId: organizationId }),
      afterRemoveMember: async ({ member: { userId, organizationId } }) =>
        announce.membershipChanged({ userId, workspaceId: organizationId }),
    },
  });
