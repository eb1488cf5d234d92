import { AppError } from "../../../shared/domain/app-error.ts";
import type { Principal } from "../../../shared/ports/sign-in.ts";

/** @throws AppError `forbidden`: being an instance admin is a role, and these routes hold nothing that is anyone's own. */
export function requireAdmin(principal: Pick<Principal, "isInstanceAdmin">): void {
  if (principal.isInstanceAdmin) return;
  throw new AppError("forbidden", "Only an instance admin can do this.");
}
