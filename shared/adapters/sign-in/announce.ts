import { createAuthMiddleware } from "better-auth/api";
import * as z from "zod";
import type { SignInEvents } from "../../ports/sign-in.ts";
import { logFailure } from "./failure-response.ts";

/** Tells the house what happened; a listener that fails never fails the request. */
export interface Announce {
  revoked(what: { credentialId: string; userId: string }): Promise<void>;
  membershipChanged(what: { userId: string; workspaceId: string }): Promise<void>;
}

export function createAnnounce(events: SignInEvents): Announce {
  const safely = async (what: string, told: () => Promise<void>): Promise<void> => {
    try {
      await told();
    } catch (error) {
      logFailure(`nobody was told that ${what}`, error);
    }
  };
  return {
    revoked: (what) => safely("a credential was revoked", () => events.revoked(what)),
    membershipChanged: (what) => safely("a membership changed", () => events.membershipChanged(what)),
  };
}

const KeyGone = z.object({ keyId: z.string() });
const KeyDisabled = z.object({ keyId: z.string(), enabled: z.literal(false) });
const Left = z.object({ userId: z.string(), organizationId: z.string() });

/** Announces what better-auth has no hook of its own for: API keys, and members who leave by themselves. */
export const announceAfter = (announce: Announce) =>
  createAuthMiddleware(async (context) => {
    const { path, body, context: inner } = context;
    if (inner.returned instanceof Error) return;
    const userId = inner.session?.user.id;
    const key = path === "/api-key/delete" ? KeyGone.safeParse(body) : KeyDisabled.safeParse(body);
    if ((path === "/api-key/delete" || path === "/api-key/update") && key.success && userId) {
      await announce.revoked({ credentialId: key.data.keyId, userId });
    }
    const left = path === "/organization/leave" ? Left.safeParse(inner.returned) : null;
    if (left?.success) {
      await announce.membershipChanged({ userId: left.data.userId, workspaceId: left.data.organizationId });
    }
  });
