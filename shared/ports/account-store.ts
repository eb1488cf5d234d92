import type { UpdateWorkspaceSettings, Workspace, WorkspaceSettings } from "../contract/account.ts";
import type { Scope } from "./conversation-store.ts";

/** Workspaces and settings of the signed-in user. */
export interface AccountStore {
  /** The user's workspaces, the personal one first; made on the spot, idempotently, where it is missing. */
  workspaces(user: { id: string; name: string }): Promise<Workspace[]>;
  /** Repeating it with the same `id` changes nothing. */
  createWorkspace(scope: Scope, name: string, id: string): Promise<Workspace>;
  isInstanceAdmin(userId: string): Promise<boolean>;
  /** @returns null when the caller is no member. Defaults stand in where nothing was saved yet (version 1). */
  settings(scope: Scope, workspaceId: string): Promise<WorkspaceSettings | null>;
  /**
   * @returns null when the caller is no member.
   * @throws AppError `forbidden` when the role is too low, `version_conflict` when `ifVersion` is stale.
   */
  updateSettings(
    scope: Scope,
    workspaceId: string,
    changes: UpdateWorkspaceSettings,
    ifVersion?: number,
  ): Promise<WorkspaceSettings | null>;
  /**
   * Where a credential is attached, so that its revocation finds the sockets.
   * @returns whether the caller's role in its workspace lets them write there, or read only; "none" when they cannot see
   *   that conversation any more, or the credential has ended: whoever ends one afterwards finds what was recorded
   */
  recordAttachment(scope: Scope, conversationId: string, credentialId: string): Promise<"write" | "read" | "none">;
  removeAttachment(scope: Scope, conversationId: string, credentialId: string): Promise<void>;
  attachments(by: { credentialId: string } | { userId: string; workspaceId?: string }): Promise<string[]>;
}

/** First answers to `Idempotency-Key`s, for a day. */
export interface IdempotencyStore {
  /** Claims the key, or tells what is known of it. */
  begin(
    scope: Scope,
    key: string,
    fingerprint: string,
  ): Promise<
    { state: "new" } | { state: "running" } | { state: "different" } | { state: "done"; status: number; body: unknown }
  >;
  finish(scope: Scope, key: string, status: number, body: unknown): Promise<void>;
  /** Gives the key back after a failure, so that a retry runs. */
  abandon(scope: Scope, key: string): Promise<void>;
}
