import type {
  Conversation,
  ConversationContext,
  EditMessage,
  ListMessages,
  SendAccepted,
  SendMessage,
  UpdateConversation,
} from "../contract/conversation.ts";
import type { Result } from "../contract/errors.ts";
import type { ClientKind } from "../contract/frames.ts";
import type { Job } from "../contract/job.ts";
import type { Message } from "../contract/message.ts";
import type { Proven } from "../domain/access/recent-proof.ts";
import type { Principal } from "./sign-in.ts";

/**
 * What a new conversation starts with: the messages of a fork, or the whole log of an import, as a JSON array in UTF-8,
 * because bytes cross to the object in the size they have. Ids are new already.
 */
export type Seed = { messages: Message[]; headId: string | null } | { log: Uint8Array };

/** Headers in which the Worker tells the object who is asking; never accepted from outside. */
export const OBJECT_HEADERS = {
  principal: "x-mosaic-principal",
  request: "x-mosaic-request-id",
  /** The `OnceKey` of a write, as JSON. */
  once: "x-mosaic-once",
  /** On a response of the object's `fetch`: its body is a `PublicError`. */
  refused: "x-mosaic-refused",
} as const;

/** What the object needs to know of a socket upgrade; JSON in `OBJECT_HEADERS.principal`. */
export type UpgradeProof =
  /** `origin` is the browser's Origin header, null where there was none. */
  { by: "principal"; principal: Principal } | { by: "ticket"; ticket: string; origin: string | null };

/** An `Idempotency-Key`, and a hash of the request it stands for. The object keeps both for a day, with the answer. */
export interface OnceKey {
  /** Of one endpoint: its method and path stand in it. The object keeps each user's apart. */
  key: string;
  fingerprint: string;
}

/**
 * A conversation as the Worker sees it. Every method authorises the principal against the object's own copy of who may
 * do what, and answers `not_found` to everyone else. Results are plain data, nothing throws on purpose.
 *
 * `fetch` serves the streams, with the same authorisation (`OBJECT_HEADERS.principal` carries the `UpgradeProof`):
 * - `GET /socket`: the WebSocket upgrade (subprotocol `mosaic.v1`);
 * - `GET /events?after=`: SSE of all frames, `id:` on `event` frames;
 * - `POST /messages` with a `SendMessage` body: SSE of the frames of that turn, ends with it;
 * - `GET /export?format=json|markdown`: the file, as it is made; as large as the log, so that no single value carries it.
 */
export interface ConversationObject {
  fetch(request: Request): Promise<Response>;
  /** Birth, right after the row was written. Repeating it changes nothing. */
  create(principal: Principal, conversation: Conversation, seed: Seed | null): Promise<Result<Conversation>>;
  /** Whether it was ever brought to life; a row alone does not make it so. Only the Worker's own business. */
  isBorn(): Promise<boolean>;
  describe(principal: Principal): Promise<Result<Conversation>>;
  /** Writes Postgres in the request, then the log, then tells everyone attached. */
  update(principal: Principal, changes: UpdateConversation, ifVersion?: number): Promise<Result<Conversation>>;
  /** Aborts the turn, closes sockets (4004), erases rows, then the object's own storage. */
  remove(principal: Principal, ifVersion?: number): Promise<Result<null>>;
  /** The same at the end of its owner's account: also where they have left its workspace. */
  removeOwned(principal: Principal): Promise<Result<null>>;
  send(
    principal: Principal,
    body: SendMessage & { id: string },
    client: ClientKind,
    once?: OnceKey | null,
  ): Promise<Result<SendAccepted & { duplicate: boolean }>>;
  stop(principal: Principal, turnId?: string): Promise<Result<{ stopped: boolean }>>;
  messages(principal: Principal, query: ListMessages): Promise<Result<{ items: Message[]; nextCursor: string | null }>>;
  /** Adds a sibling with the new content and moves the head to it; answers the new message. */
  edit(principal: Principal, messageId: string, body: EditMessage, once?: OnceKey | null): Promise<Result<Message>>;
  /** A tombstone: its place stays, its content is gone everywhere. */
  deleteMessage(principal: Principal, messageId: string): Promise<Result<null>>;
  /** Copies the path through `messageId`, inclusive, into the caller's new conversation `id`; finds it where it is made. */
  fork(principal: Principal, messageId: string, id: string): Promise<Result<Conversation>>;
  context(principal: Principal): Promise<Result<ConversationContext>>;
  /** Single use, 30 s, bound to this user, conversation and origin. */
  ticket(principal: Principal, origin: string | null): Promise<Result<{ ticket: string; expiresAt: string }>>;
  /** The newest proof that the credential with this hash signed in here; null for an unknown one. Asks nobody. */
  proofOf(credentialHash: string): Promise<Proven | null>;
  /** What an instance admin decided for a job of this conversation. @returns null where it holds no such job (any more) */
  settleJob(principal: Principal, jobId: string, decision: "retry" | "cancel"): Promise<Result<Job | null>>;
  /** A credential or membership ended: its sockets close (4003), and that proof is worth nothing here any more. */
  revoke(what: { credentialId: string } | { userId: string; workspaceId: string }): Promise<void>;
}
