import type { CredentialVault } from "../../shared/ports/credential-vault.ts";
import type { LoginEndpoints } from "../../shared/ports/login-endpoints.ts";
import type { ProviderStore } from "../../shared/ports/provider-store.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { LoginBook } from "./kept-login.ts";

export interface KeeperDeps {
  book: LoginBook;
  vault: Pick<CredentialVault, "open" | "seal">;
  endpoints: Pick<LoginEndpoints, "refresh" | "revoke">;
  providers: Pick<ProviderStore, "replaceSecret">;
  /** Has Postgres told of what is kept here, aside. */
  save(): void;
  timers: Pick<Timers, "wait">;
  random(): number;
  now(): Date;
}

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** How long after so many failures something is tried again. */
export const pauseMs = (tries: number): number => Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
