import type { Standing } from "../../../shared/domain/providers/change-provider.ts";
import type { SignedInCall } from "../route.ts";

/** Whose word counts for an address. */
export const standingOf = ({ principal, services }: Pick<SignedInCall, "principal" | "services">): Standing => ({
  isInstanceAdmin: principal.isInstanceAdmin,
  privateNetwork: services.settings.ALLOW_PRIVATE_NETWORK,
});
