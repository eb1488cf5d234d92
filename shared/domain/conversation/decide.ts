import type * as z from "zod";
import type { PublicError } from "../../contract/errors.ts";
import type { ConversationEvent } from "../../contract/events.ts";
import type { AckState } from "../../contract/frames.ts";
import type { Message, Part } from "../../contract/message.ts";
import { fail } from "../app-error.ts";

/** A message that someone wants to add, checked for shape already. */
export interface SendCommand {
  id: string;
  parts: Part[];
  model: string | null;
  whenBusy: "queue" | "steer" | "reject";
  authorUserId: string;
  client: string;
}

/** What the log knows of the message id in the command. */
export interface KnownMessage {
  message: Message;
  deleted: boolean;
  model: string | null;
  state: z.infer<typeof AckState>;
  turnId: string | null;
}

export interface SendFacts {
  known: KnownMessage | null;
  headId: string | null;
  /** Turns that run or wait, and messages that wait to reach the running one. */
  openTurns: number;
  /** The turn that runs, or is the next to, and who asked for it. */
  running: Pick<NewTurn, "id" | "askedBy"> | null;
  nextSeq: number;
  /** ISO time. */
  at: string;
  /** Ids for the turn and the answer it will write. */
  turnId: string;
  answerId: string;
}

/** A turn as it waits: which message it answers, with which wish. For a message that steers: the turn it gets if it must. */
export interface NewTurn {
  id: string;
  messageId: string;
  replyTo: string;
  model: string | null;
  /** Whose own providers may answer; null: nobody knows who, so nobody's. */
  askedBy: string | null;
}

export type SendDecision =
  | { kind: "duplicate"; seq: number; state: z.infer<typeof AckState>; turnId: string | null }
  | { kind: "refused"; error: PublicError }
  | {
      kind: "accepted";
      event: ConversationEvent;
      turn: NewTurn;
      state: z.infer<typeof AckState>;
      steers: string | null;
    };

/** More would only make the last one wait for an hour. */
export const MAX_WAITING_TURNS = 50;

/**
 * What becomes of a message. Idempotent by its id: the same id with the same content is answered as the first time,
 * with other content it is refused and nothing is overwritten.
 */
export function decideSend(command: SendCommand, facts: SendFacts): SendDecision {
  const { known } = facts;
  if (known) {
    const same =
      known.deleted ||
      (known.message.role === "user" &&
        known.model === command.model &&
        JSON.stringify(known.message.parts) === JSON.stringify(command.parts));
    if (same) return { kind: "duplicate", seq: known.message.seq, state: known.state, turnId: known.turnId };
    return {
      kind: "refused",
      error: fail("idempotency_conflict", "This id already stands for another message; send it with a new id.").error,
    };
  }
  const busy = facts.openTurns > 0;
  if (busy && command.whenBusy === "reject") {
    return {
      kind: "refused",
      error: fail("busy", "An answer is being written; wait for it, stop it, or queue the message.").error,
    };
  }
  if (facts.openTurns > MAX_WAITING_TURNS) {
    return {
      kind: "refused",
      error: fail("busy", "Too many messages wait for an answer already; wait for some of them.").error,
    };
  }
  const message: Message = {
    id: command.id,
    seq: facts.nextSeq,
    updatedSeq: facts.nextSeq,
    parentId: facts.headId,
    role: "user",
    parts: command.parts,
    metadata: {
      client: command.client,
      authorUserId: command.authorUserId,
      ...(command.model === null ? {} : { model: command.model }),
    },
    createdAt: facts.at,
  };
  const wish = busy && command.whenBusy === "steer" ? facts.running : null;
  // What somebody else asked for is answered on their key: it takes in nobody's wishes but theirs.
  const steers = wish?.askedBy === command.authorUserId ? wish.id : null;
  return {
    kind: "accepted",
    event: { type: "message:added", message },
    turn: {
      id: facts.turnId,
      messageId: facts.answerId,
      replyTo: command.id,
      model: command.model,
      askedBy: command.authorUserId,
    },
    steers,
    state: steers !== null ? "steered" : busy ? "queued" : "started",
  };
}
