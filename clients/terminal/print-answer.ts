import { ApiError } from "../../shared/client/api-error.ts";
import { memoryOutbox } from "../../shared/client/outbox.ts";
import { reduceView } from "../../shared/client/view.ts";
import { emptyView, type Turn, type View, type ViewAction } from "../../shared/client/view-state.ts";
import { type Message, textOf, type Usage } from "../../shared/contract/message.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { openConversation, type Server } from "./open-conversation.ts";
import { whyClosed } from "./why-closed.ts";

/** What `--json` prints. */
export interface PrintedAnswer {
  conversationId: string;
  messageId: string;
  text: string;
  receipt: Receipt | null;
  usage: Usage | null;
}

interface Question {
  conversationId: string;
  text: string;
  model: string | undefined;
  /** Stops the answer at the server and rejects. */
  signal: AbortSignal;
}

/** A script should not wait for ever for a server that is gone; the answer goes on there. */
const GIVE_UP_AFTER_MS = 60_000;

const failed = (message: string): ApiError => new ApiError({ code: "provider_failed", message });

function outcome(turn: Turn, message: Message | undefined, conversationId: string): PrintedAnswer {
  if (turn.state === "failed") {
    throw failed(turn.notices.findLast((notice) => notice.kind === "failed")?.text ?? "The answer failed.");
  }
  if (turn.state === "stopped" || !message) throw failed("The answer was stopped before it was complete.");
  const usage = turn.usage ?? message.metadata.usage ?? null;
  return { conversationId, messageId: message.id, text: textOf(message.parts), receipt: turn.receipt, usage };
}

/** Without an answer from the server the message may have been stored all the same. */
const asRefused = (error: unknown): unknown =>
  error instanceof ApiError && error.code !== "network" ? new NothingCameOfIt(error) : error;

function noRouteIn(action: ViewAction): NothingCameOfIt | null {
  if (action.type !== "frame" || action.frame.type !== "event") return null;
  const { event } = action.frame;
  return event.type === "turn:failed" && event.error.code === "no_route"
    ? new NothingCameOfIt(new ApiError(event.error))
    : null;
}

/** The message was refused, or nothing could answer it: nothing in its conversation is worth keeping. */
export class NothingCameOfIt extends ApiError {
  constructor(cause: ApiError) {
    super(cause);
    this.cause = cause;
  }
}

/**
 * Sends one message and waits for its whole answer, over any number of reconnects.
 * @throws ApiError; NothingCameOfIt where no answer began
 */
export async function askOnce(server: Server, question: Question): Promise<PrintedAnswer> {
  const { conversationId, text, model, signal } = question;
  const client = openConversation(server, conversationId, memoryOutbox(), null);
  const { promise, resolve, reject } = Promise.withResolvers<PrintedAnswer>();
  let view: View = emptyView;
  let giveUp: NodeJS.Timeout | undefined;
  const settle = (id: string): void => {
    const turn = [...view.turns.values()].find(({ replyTo }) => replyTo === id);
    if (!turn || turn.state === "running" || turn.state === "interrupted") return;
    try {
      resolve(outcome(turn, view.tree.get(turn.messageId)?.message, conversationId));
    } catch (error) {
      reject(error);
    }
  };
  const { id, acknowledged } = client.send(model === undefined ? { text } : { text, model });
  client.subscribe((action) => {
    view = reduceView(view, action);
    const noRoute = noRouteIn(action);
    if (noRoute) reject(noRoute);
    const { connection } = view;
    if (connection.state === "open") {
      clearTimeout(giveUp);
      giveUp = undefined;
    } else if (connection.state === "closed") {
      whyClosed(server, connection).then(reject, reject);
    } else {
      const message = `The connection to ${server.url} is lost. \`npx mosaic -c ${conversationId}\` shows what was answered.`;
      giveUp ??= setTimeout(() => reject(new ApiError({ code: "network", message })), GIVE_UP_AFTER_MS);
    }
    settle(id);
  });
  acknowledged.catch((error: unknown) => {
    if (view.connection.state !== "closed") reject(asRefused(error));
  });
  signal.addEventListener("abort", () => {
    client.stopTurn();
    reject(failed("Stopped."));
  });
  try {
    await client.start();
    return await promise;
  } finally {
    clearTimeout(giveUp);
    client.stop();
  }
}
