import type { Principal, SignInProof } from "./principal.ts";

/** How long a sign-in that Postgres has confirmed is believed without it. */
export const PROOF_LIFETIME_MS = 10 * 60_000;
/** Two machines' clocks may differ by this much; what was proved later than that was proved by nobody. */
export const CLOCK_SKEW_MS = 60_000;
/** A newer proof is written down only when the one that is kept is older than this. */
export const PROOF_REFRESH_MS = 60_000;

/** A principal with the proof that it signed in. */
export type Proven = Principal & { proof: SignInProof };

/** Whether a proof is recent enough to stand in for a sign-in. */
export const isRecent = ({ provenAt }: Pick<SignInProof, "provenAt">, nowMs: number): boolean =>
  provenAt <= nowMs + CLOCK_SKEW_MS && nowMs < provenAt + PROOF_LIFETIME_MS;

/** What the signature is over: everything an object authorises by. An instance admin is none without Postgres. */
export const signedText = (
  principal: Principal,
  { credentialHash, provenAt }: Omit<SignInProof, "signature">,
): string =>
  JSON.stringify([
    credentialHash,
    provenAt,
    principal.userId,
    principal.name,
    principal.credentialId,
    principal.credential,
    principal.workspaces.map(({ id, role }) => [id, role]),
    principal.expiresAt,
  ]);
