import { ApiError } from "../../shared/client/api-error.ts";
import { memoryOutbox } from "../../shared/client/outbox.ts";
import { reduceView } from "../../shared/client/view.ts";
import { emptyView, type Turn, type View } from "../../shared/client/view-state.ts";
import { type Message, textOf, type Usage } from "../../shared/contract/message.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { openConversation, type Server } from "./open-conversation.ts";

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

/** Sends one message and waits for its whole answer, over any number of reconnects. Throws ApiError. */
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
    const { connection } = view;
    if (connection.state === "open") {
      clearTimeout(giveUp);
      giveUp = undefined;
    } else if (connection.state === "closed") {
      reject(
        new ApiError({ code: connection.code === 4001 ? "unauthenticated" : "network", message: connection.reason }),
      );
    } else {
      const message = `The connection to ${server.url} is lost. \`mosaic -c ${conversationId}\` shows what was answered.`;
      giveUp ??= setTimeout(() => reject(new ApiError({ code: "network", message })), GIVE_UP_AFTER_MS);
    }
    settle(id);
  });
  acknowledged.catch(reject);
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
