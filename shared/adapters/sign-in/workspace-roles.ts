import { createAccessControl } from "better-auth/plugins/access";
import { adminAc, defaultStatements, ownerAc } from "better-auth/plugins/organization/access";

export const workspaceAccess = createAccessControl(defaultStatements);

/** Who may manage people; what a role may do with content is decided elsewhere. */
export const workspaceRoles = {
  owner: workspaceAccess.newRole(ownerAc.statements),
  admin: workspaceAccess.newRole(adminAc.statements),
  member: workspaceAccess.newRole({}),
  viewer: workspaceAccess.newRole({}),
};
