import type { AccountStore } from "../../ports/account-store.ts";
import type { Mailer } from "../../ports/mailer.ts";
import type { SignInEvents } from "../../ports/sign-in.ts";
import type { SignInDatabase } from "../postgres/sign-in-database.ts";

/** The part of the Worker's configuration that sign-in reads. */
export interface SignInSettings {
  PUBLIC_URL: string;
  ALLOWED_ORIGINS: string[];
  BETTER_AUTH_SECRET: string;
  SIGN_UP: "open" | "invite" | "closed";
  SETUP_TOKEN?: string | undefined;
  OIDC_ISSUER?: string | undefined;
  OIDC_CLIENT_ID?: string | undefined;
  OIDC_CLIENT_SECRET?: string | undefined;
  OIDC_NAME: string;
}

export interface SignInOptions {
  database: SignInDatabase;
  settings: SignInSettings;
  /** `unconfigured` lets sign-in refuse a password reset at once, for known and unknown addresses alike. */
  mailer: Mailer & { readonly unconfigured?: true };
  accounts: Pick<AccountStore, "workspaces">;
  events: SignInEvents;
  /** Keeps work alive past the response. What it is given never rejects. */
  runInBackground(work: Promise<unknown>): void;
}

/** Thirty days from the last day on which the session was used. */
export const SESSION_LIFETIME_SECONDS = 30 * 24 * 3600;

export const API_KEY_PREFIX = "mosaic_";
