import type {
  ConnectableKind,
  OfferedLogin,
  PastedRedirect,
  ProviderLogin,
  StartedLogin,
  StartLogin,
} from "../contract/provider.ts";
import type { ProviderRecord, SealedCredential } from "../domain/providers/provider-record.ts";
import type { Scope } from "./conversation-store.ts";
import type { Principal } from "./sign-in.ts";

/** Who starts a login: what they may connect depends on their roles. */
export type LoginStarter = Pick<Principal, "userId" | "workspaces" | "isInstanceAdmin">;

/** Signing in at a vendor, so that nobody has to copy a key. */
export interface ProviderLogins {
  /** What one can log in to here. */
  kinds(): OfferedLogin[];
  /**
   * @throws AppError `invalid_request` where this vendor has no login here, `forbidden` for a scope above the caller's
   * role, `not_found` for a workspace or an instance that is not theirs, `provider_unavailable`
   */
  start(starter: LoginStarter, kind: ConnectableKind, wish: StartLogin): Promise<StartedLogin>;
  /** For a device login also asks the vendor, at most as often as it allows. @returns null when it is not the caller's */
  find(scope: Scope, loginId: string): Promise<ProviderLogin | null>;
  /**
   * Ends a redirect login with the address that the vendor sent the browser to.
   * @returns null when it is not the caller's
   * @throws AppError `invalid_request` for an address that is not this login's, `provider_unavailable` when it may be tried again
   */
  finish(scope: Scope, loginId: string, redirect: PastedRedirect): Promise<ProviderLogin | null>;
  /** The same by the `state` in that address: for the browser that comes back. @returns null when no login of the caller's has it */
  finishByState(scope: Scope, kind: ConnectableKind, url: string): Promise<ProviderLogin | null>;
  /** Tells the vendor that a login is not needed any more, where it can be told. Never throws. */
  revoke(record: ProviderRecord): Promise<void>;
  /**
   * A credential that is good for another minute at least: the same, or a refreshed one. One refresh at a time for each.
   * @param refused one that the vendor does not take any more before its time: another one is wanted
   * @throws ProviderError `unauthenticated` when the login has ended and the user must log in again
   */
  fresh(record: ProviderRecord, refused?: SealedCredential): Promise<SealedCredential>;
}

/** What an object answers that keeps the tokens of one login; plain data, because it crosses RPC. */
export type FreshCredential =
  | { ok: true; credential: SealedCredential }
  /** The user must log in again, or what is sealed cannot be opened here. */
  | { ok: false; why: "ended" | "sealed-by-lost-key" | "damaged" }
  /** `message` is one sentence for the user. */
  | { ok: false; why: "misconfigured" | "unavailable"; message: string };

/** The object of one credential: the only place where its tokens are refreshed. */
export interface ProviderLoginObject {
  fresh(record: ProviderRecord, refused?: SealedCredential): Promise<FreshCredential>;
  /** Never throws for a vendor that is away: it goes on by itself. */
  revoke(record: ProviderRecord): Promise<void>;
}
