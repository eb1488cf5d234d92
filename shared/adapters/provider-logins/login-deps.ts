import type { LoginStore } from "../../ports/login-store.ts";
import type { ProviderLoginObject } from "../../ports/provider-logins.ts";
import type { StoreDeps } from "./store-login.ts";

export interface LoginDeps extends StoreDeps {
  settings: { PUBLIC_URL: string };
  store: LoginStore;
  /** The object that keeps the tokens of a credential. */
  object(credentialId: string): ProviderLoginObject;
  newId(): string;
  wait(ms: number): Promise<void>;
}
