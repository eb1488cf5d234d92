import type { ConnectableKind } from "../../contract/provider.ts";
import type { Begun, Granted, OAuthTokens, PendingLogin } from "../../ports/login-endpoints.ts";
import type { Fetch } from "./vendor-fetch.ts";

export interface FlowDeps {
  kind: ConnectableKind;
  /** How the vendor is called at the start of a sentence. */
  vendor: string;
  fetch: Fetch;
  now: () => number;
}

/** One way to log in at one vendor. Nothing here throws. */
export interface LoginFlow {
  method: "redirect" | "device";
  begin(redirect: { uri: string; state: string }): Promise<Begun>;
  exchange(redirect: { uri: string; parameters: URLSearchParams }, pending: PendingLogin): Promise<Granted>;
  poll(pending: PendingLogin): Promise<Granted>;
  refresh(tokens: OAuthTokens): Promise<Granted>;
  revoke(tokens: OAuthTokens): Promise<boolean>;
}

/** What a flow answers that has no such step. */
export const noSuchStep = (vendor: string): Extract<Granted, { ok: false }> => ({
  ok: false,
  why: "misconfigured",
  message: `The way to log in at ${vendor} has changed here; start the login again.`,
});
