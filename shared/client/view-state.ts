import type { AckState, SessionInfo } from "../contract/frames.ts";
import type { Message, Part, Usage } from "../contract/message.ts";
import type { Receipt } from "../contract/receipt.ts";
import type { IncomingFrame } from "./decode-frame.ts";
import type { OutboxEntry } from "./outbox.ts";

export type Connection =
  | { state: "connecting" }
  | { state: "open" }
  /** Cut off; the next try comes by itself at `retryAt` (ms since 1970). */
  | { state: "waiting"; attempt: number; retryAt: number }
  /** For good, with the reason as a sentence; 1000 is the client's own stop. */
  | { state: "closed"; code: number; reason: string };

/** A message that is `sending`, acknowledged and about to come as an event (`saved`), or refused (`failed`). */
export interface PendingSend {
  id: string;
  entry: OutboxEntry;
  state: "sending" | "saved" | "failed";
  /** Why it was refused, or why it is not through yet. */
  error: string | null;
  /** False where this device could not keep it: it is lost when the client ends before the server has it. */
  kept: boolean;
}

export interface Notice {
  /** Unique in the conversation and the same after a replay. */
  key: string;
  kind: "rerouted" | "continued" | "interrupted" | "failed" | "model" | "agent" | "checkpoint" | "error";
  /** A sentence for a person. */
  text: string;
  turnId: string | null;
  canRetry: boolean;
  /** Of a seam: how many parts of the answer stand before it, where that is known. */
  afterParts?: number;
}

export interface Turn {
  id: string;
  messageId: string;
  replyTo: string | null;
  receipt: Receipt | null;
  state: "running" | "interrupted" | "completed" | "stopped" | "failed";
  usage: Usage | null;
  /** Calls that wait for a person's `tool:answer`. */
  needsApproval: string[];
  notices: Notice[];
}

/** The answer that is being written. */
export interface RunningTurn {
  turnId: string;
  messageId: string;
  parts: Part[];
  state: "streaming" | "interrupted";
  /** Something was missed: what follows is not shown until the next snapshot. */
  awaitingSnapshot: boolean;
}

/**
 * Of a user's message: `sending`, `saved` (durable at the server), `answered`, `failed`.
 * Of an answer: `streaming`, `interrupted` (goes on by itself), `done`, `stopped`, `failed`.
 */
export type MessageStatus =
  | "sending"
  | "saved"
  | "answered"
  | "streaming"
  | "interrupted"
  | "done"
  | "stopped"
  | "failed";

export interface ViewMessage {
  id: string;
  parentId: string | null;
  role: Message["role"];
  parts: Part[];
  metadata: Message["metadata"];
  createdAt: string;
  status: MessageStatus;
  deleted: boolean;
  /** Why a message failed, or is not through yet; null otherwise. */
  error: string | null;
  /** Of a message that is `sending`: whether this device keeps it until it is through. True of every other. */
  kept: boolean;
  /** What the server said it does with a message of this client; null of every other. */
  taken: AckState | null;
  /** The turn that wrote this answer, with its receipt and what happened on the way. */
  turn: Turn | null;
  /** All messages that share this one's parent and role, itself included, oldest first: the branches at this place. */
  siblings: readonly string[];
}

export interface TreeEntry {
  message: Message;
  deleted: boolean;
}

export interface View {
  conversationId: string | null;
  /** The last event applied. */
  seq: number;
  /** The last event the server had when it welcomed us: history is complete when `seq` has reached it. */
  welcomedAt: number | null;
  features: readonly string[];
  title: string | null;
  session: SessionInfo | null;
  headId: string | null;
  connection: Connection;
  /** The active path, each answer behind its question, followed by pending sends. */
  messages: readonly ViewMessage[];
  running: RunningTurn | null;
  pending: readonly PendingSend[];
  /** What the server does with the messages sent here, by their id: `queued` ones wait, `steered` ones join the answer. */
  taken: ReadonlyMap<string, AckState>;
  /** What belongs to no message; the newest last, at most 20. */
  notices: readonly Notice[];
  /** Every branch, by message id. */
  tree: ReadonlyMap<string, TreeEntry>;
  turns: ReadonlyMap<string, Turn>;
}

export type ViewAction =
  | { type: "frame"; frame: IncomingFrame }
  | { type: "connection"; connection: Connection }
  | { type: "pending"; pending: readonly PendingSend[] }
  | { type: "taken"; id: string; state: AckState }
  /** No replay was asked for: the view begins after this event. */
  | { type: "start"; seq: number }
  /** The server's log is not the one that was shown: everything is read anew. */
  | { type: "reset" };

export const emptyView: View = {
  conversationId: null,
  seq: 0,
  welcomedAt: null,
  features: [],
  title: null,
  session: null,
  headId: null,
  connection: { state: "connecting" },
  messages: [],
  running: null,
  pending: [],
  taken: new Map(),
  notices: [],
  tree: new Map(),
  turns: new Map(),
};
