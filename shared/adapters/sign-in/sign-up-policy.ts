import { APIError } from "better-auth/api";
import type { SignInDatabase } from "../postgres/sign-in-database.ts";
import type { SignInSettings } from "./sign-in-options.ts";

const CLOSED = "Nobody can sign up here; ask the operator of this instance for an account.";
const INVITE_ONLY = "Only invited addresses can sign up here; ask a member to invite this e-mail address.";
const SETUP_TOKEN_MISSING =
  "The first account of this instance needs the setup token that the stack printed when it started; send it as the header x-setup-token or the field setupToken.";

export interface SignUpPolicy {
  /** Before an account is made. @throws APIError 403 */
  admit(newcomer: { id: string; email: string; setupToken: string | null }): Promise<void>;
  /** Before the first session of a new account: settles who of the first ones administers the instance. @throws APIError 403 */
  settle(userId: string): Promise<void>;
}

/**
 * Who may sign up. While there is no administrator anybody may who shows the setup token, where one is set; the unique
 * row then decides between several at once, and those who came too late are let go again unless they may sign up anyway.
 */
export function createSignUpPolicy(database: SignInDatabase, settings: SignInSettings): SignUpPolicy {
  const founders = new Map<string, string>();
  const refuse = (message: string) => new APIError("FORBIDDEN", { code: "SIGN_UP_REFUSED", message });
  const refusal = async (email: string): Promise<APIError | null> => {
    if (settings.SIGN_UP === "open") return null;
    if (settings.SIGN_UP === "closed") return refuse(CLOSED);
    return (await database.hasPendingInvitation(email)) ? null : refuse(INVITE_ONLY);
  };
  return {
    admit: async ({ id, email, setupToken }) => {
      if (await database.hasInstanceAdmin()) {
        const refused = await refusal(email);
        if (refused) throw refused;
        return;
      }
      if (settings.SETUP_TOKEN && !(await sameSecret(setupToken ?? "", settings.SETUP_TOKEN))) {
        throw new APIError("FORBIDDEN", { code: "SETUP_TOKEN_REQUIRED", message: SETUP_TOKEN_MISSING });
      }
      founders.set(id, email);
    },
    settle: async (userId) => {
      const email = founders.get(userId);
      if (email === undefined) return;
      founders.delete(userId);
      if (await database.claimInstanceAdmin(userId)) return;
      const refused = await refusal(email);
      if (!refused) return;
      await database.endAccount(userId);
      throw refused;
    },
  };
}

/** Compares digests, so that the time taken tells nothing about the secret. */
async function sameSecret(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [left, right].map((text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
  if (!a || !b) return false;
  const other = new Uint8Array(b);
  return new Uint8Array(a).reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0;
}
