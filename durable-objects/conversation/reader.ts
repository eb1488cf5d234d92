import type { WorkspaceRole } from "../../shared/contract/account.ts";
import type { ClientKind, ServerFrame } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";

/** What a socket keeps across hibernation (at most 2 KiB, with `CarriedLag`): who it is. */
export interface Attachment {
  id: string;
  userId: string;
  name: string;
  credentialId: string;
  credential: "session" | "api-key";
  workspaceId: string;
  role: WorkspaceRole;
  expiresAt: string;
  /** Null until `hello`. */
  kind: ClientKind | null;
}

/** Anyone who is told what happens: a socket, or an SSE stream. */
export interface Reader {
  readonly attachment: Attachment;
  /** Whether it has trouble to follow, so that fewer and larger frames are better for it. */
  readonly isBehind: boolean;
  /** Something happened. `text` is the frame as JSON, made once for all readers. Never throws. */
  push(frame: ServerFrame, text: string): void;
}

/** A reader that ends by itself. */
export interface Listener extends Reader {
  end(): void;
}

/** The principal that a socket's attachment stands for, as far as this conversation is concerned. */
export const principalOf = (attachment: Attachment): Principal => ({
  userId: attachment.userId,
  name: attachment.name.slice(0, 100),
  credentialId: attachment.credentialId,
  credential: attachment.credential,
  workspaces: [{ id: attachment.workspaceId, role: attachment.role }],
  isInstanceAdmin: false,
  expiresAt: attachment.expiresAt,
});
