import type { ConnectableKind, OfferedLogin } from "../contract/provider.ts";
import type { ProviderSecret } from "../domain/providers/provider-record.ts";

/** Why a vendor gave no credential. */
export type LoginTrouble =
  | "pending" // a device login that nobody has approved yet
  | "slow-down" // the same, and it was asked too often
  | "refused" // the user or the vendor said no: this login, or this refresh token, is over
  | "expired"
  | "misconfigured" // the operator's settings do not fit the vendor
  | "unavailable"; // no answer, or none that means anything: another try may do

/** What a vendor answered, as data. `message` is one sentence for the user and names no secret. */
export type Granted =
  | { ok: true; secret: Pick<ProviderSecret, "apiKey" | "oauth"> }
  | { ok: false; why: LoginTrouble; message: string; retryAfterMs?: number };

export type PendingLogin = NonNullable<ProviderSecret["pending"]>;
export type OAuthTokens = NonNullable<ProviderSecret["oauth"]>;

/** The first half of a login. `pending` is secret. */
export type Begun =
  | { ok: true; method: "redirect"; url: string; pending: PendingLogin }
  | {
      ok: true;
      method: "device";
      url: string;
      userCode: string;
      expiresInMs: number;
      intervalSeconds: number;
      pending: PendingLogin;
    }
  | Extract<Granted, { ok: false }>;

/** Where vendors let people log in. Nothing here throws; each call asks the vendor once, for ten seconds at most. */
export interface LoginEndpoints {
  kinds(): OfferedLogin[];
  vendorName(kind: ConnectableKind): string;
  /** Where the credential of a login is good; null: at the vendor's own address. */
  baseUrl(kind: ConnectableKind): string | null;
  /** @returns null for a kind that one cannot log in to here */
  begin(kind: ConnectableKind, redirect: { uri: string; state: string }): Promise<Begun | null>;
  /** The second half of a redirect login. `parameters` are those of the address that the vendor sent the browser to. */
  exchange(
    kind: ConnectableKind,
    redirect: { uri: string; parameters: URLSearchParams },
    pending: PendingLogin,
  ): Promise<Granted>;
  /** The second half of a device login. */
  poll(kind: ConnectableKind, pending: PendingLogin): Promise<Granted>;
  /** New tokens for old. Without a new refresh token the old one stays good. */
  refresh(kind: ConnectableKind, tokens: OAuthTokens): Promise<Granted>;
  /** @returns whether there is nothing more to tell: told, refused for good, or not a vendor that can be told */
  revoke(kind: ConnectableKind, tokens: OAuthTokens): Promise<boolean>;
}
