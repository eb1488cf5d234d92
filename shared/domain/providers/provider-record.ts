import type { ConnectableKind, ProviderScope } from "../../contract/provider.ts";

/**
 * How a request to an instance leaves: to an address of the operator's, to public addresses only, to an address that an
 * instance admin vouched for, or over a connector's socket.
 */
export type Route = "operator" | "public" | "private" | "connector";

/** A secret under the key ring; opaque to everyone but the vault. */
export interface SealedCredential {
  id: string;
  sealed: string;
  method: "api-key" | "oauth" | null;
  /** Milliseconds since the epoch; null where it does not expire. */
  expiresAtMs: number | null;
  /** Grows with every change of the secret. */
  version: number;
}

/** A provider instance as it is kept: vendor, place, who may use it. From the operator's environment or from Postgres. */
export interface ProviderRecord {
  id: string;
  kind: ConnectableKind;
  displayName: string;
  scope: ProviderScope;
  /** Null unless the scope is workspace. */
  workspaceId: string | null;
  /** Who made it; null for the environment's. */
  ownerUserId: string | null;
  baseUrl: string | null;
  connectorId: string | null;
  upstream: string | null;
  route: Route;
  credential: SealedCredential | null;
  isDefault: boolean;
  isEnabled: boolean;
  source: "environment" | "stored";
  version: number;
}

/** What is sealed in a credential. Plaintext lives only inside the adapter call that needs it. */
export interface ProviderSecret {
  apiKey?: string;
  headers?: Record<string, string>;
  oauth?: {
    accessToken: string;
    refreshToken?: string;
    /** Milliseconds since the epoch. */
    expiresAtMs?: number;
    scope?: string;
  };
  /** Of a login that is under way: what its second half needs. */
  pending?: { verifier?: string; deviceCode?: string; userCode?: string };
}

/** Fixed, so that receipts and pins outlive a restart: one instance of each kind can come from the environment. */
export const BUILT_IN_IDS = {
  anthropic: "00000000-0000-7000-8000-000000000001",
  openai: "00000000-0000-7000-8000-000000000002",
  openrouter: "00000000-0000-7000-8000-000000000003",
  zai: "00000000-0000-7000-8000-000000000004",
  ollama: "00000000-0000-7000-8000-000000000005",
  guide: "00000000-0000-7000-8000-00000000000f",
} as const;
