import type { Visibility } from "../../contract/conversation.ts";
import type { Principal } from "./principal.ts";

/** What an object keeps of who may do what with it. */
export interface Access {
  ownerUserId: string;
  workspaceId: string;
  visibility: Visibility;
}

export type Right = "none" | "read" | "write" | "own";

/**
 * What a principal may do with a conversation: nothing without being a member of its workspace, everything as its
 * owner; where it is shared, a viewer reads and every other role writes. An instance admin has no right by being one.
 */
export function rightOf(principal: Pick<Principal, "userId" | "workspaces">, access: Access): Right {
  const membership = principal.workspaces.find((workspace) => workspace.id === access.workspaceId);
  if (!membership) return "none";
  if (principal.userId === access.ownerUserId) return "own";
  if (access.visibility === "private") return "none";
  return membership.role === "viewer" ? "read" : "write";
}

const ORDER: Record<Right, number> = { none: 0, read: 1, write: 2, own: 3 };

export const covers = (has: Right, needed: Right): boolean => ORDER[has] >= ORDER[needed];
