import { useCallback, useMemo } from "react";
import type { ConversationClient } from "../../../../shared/client/conversation-client.ts";
import { type Joined, joinedTo } from "../../../../shared/client/view-seams.ts";
import type { View, ViewMessage } from "../../../../shared/client/view-state.ts";
import { api } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Answer } from "./answer.tsx";
import { Question } from "./question.tsx";
import { useWindow } from "./use-window.ts";

interface MessagesProps {
  conversationId: string;
  view: View;
  client: ConversationClient | null;
  readOnly: boolean;
  onRun: (command: string) => Promise<void>;
}

const Quiet = ({ children }: { children: string }) => (
  <p className="py-16 text-center text-[14px] text-soft">{children}</p>
);

/** What can be done with messages; the same functions as long as the client is, so that only what changed is drawn. */
function useActions({ conversationId, client, onRun }: Pick<MessagesProps, "conversationId" | "client" | "onRun">) {
  const retry = useCallback(() => void onRun("/retry"), [onRun]);
  const edit = useCallback(
    async (messageId: string, text: string) => {
      await api.messages.edit(conversationId, messageId, { text });
    },
    [conversationId],
  );
  const resend = useCallback((id: string) => client?.resend(id), [client]);
  const discard = useCallback((id: string) => void client?.discard(id), [client]);
  const decideTool = useCallback<ConversationClient["answerTool"]>(
    (id, decision) => client?.answerTool(id, decision),
    [client],
  );
  return { retry, edit, resend, discard, decideTool };
}

const NOTHING: readonly Joined[] = [];

/** What stands inside an answer, by the answer's id, and what therefore does not stand by itself. */
function useJoined(messages: readonly ViewMessage[]) {
  return useMemo(() => {
    const steered = messages.filter(({ metadata }) => metadata.steeredBy !== undefined);
    const byId = new Map(steered.length === 0 ? [] : messages.map((message) => [message.id, message]));
    const inside = new Map(steered.map((answer) => [answer.id, joinedTo(answer, byId)]));
    const elsewhere = new Set([...inside.values()].flat().map(({ message }) => message.id));
    return { inside, elsewhere, above: new Set(steered.flatMap(({ metadata }) => metadata.steeredBy ?? [])) };
  }, [messages]);
}

/** Drawing what only passes by on the way to the end would take longer than all the rest. */
const FAR_EVENTS = 500;

function howFar({ welcomedAt, seq, connection }: View): string | null {
  if (welcomedAt === null || welcomedAt - seq < FAR_EVENTS || connection.state !== "open") return null;
  return `Opening… ${Math.floor((100 * seq) / welcomedAt)} %`;
}

/** The messages of the active path. */
export function Messages({ conversationId, view, client, readOnly, onRun }: MessagesProps) {
  const { retry, edit, resend, discard, decideTool } = useActions({ conversationId, client, onRun });
  const loading = view.welcomedAt === null || view.seq < view.welcomedAt;
  const all = useMemo(
    () => view.messages.filter(({ deleted, role }) => !deleted && (role === "user" || role === "assistant")),
    [view.messages],
  );
  const { from, opened, showEarlier } = useWindow(all.length, loading);
  const { inside, elsewhere, above } = useJoined(all);
  const showQuestion = useCallback(
    (message: ViewMessage) => (
      <Question
        key={message.id}
        message={message}
        joined={above.has(message.id) && !elsewhere.has(message.id)}
        onEdit={readOnly ? null : edit}
        onResend={resend}
        onDiscard={discard}
      />
    ),
    [above, elsewhere, readOnly, edit, resend, discard],
  );
  const far = opened ? null : howFar(view);
  if (far !== null) return <Quiet>{far}</Quiet>;
  if (all.length === 0) {
    if (!loading) return <Quiet>Nothing said yet. Begin below.</Quiet>;
    return <Quiet>{view.connection.state === "waiting" ? "It opens once Mosaic answers." : "Opening…"}</Quiet>;
  }
  const shown = all.slice(from);
  const latest = all.findLast(({ id }) => !elsewhere.has(id))?.id;
  return (
    <>
      {from > 0 ? (
        <p className="py-3 text-center">
          <Button look="quiet" size="small" onClick={showEarlier}>
            Show earlier messages ({from.toLocaleString("en-US")})
          </Button>
        </p>
      ) : null}
      {shown.map((message) => {
        if (message.role === "user") return elsewhere.has(message.id) ? null : showQuestion(message);
        return (
          <Answer
            key={message.id}
            message={message}
            latest={!readOnly && message.id === latest}
            onRetry={retry}
            onDecideTool={readOnly ? null : decideTool}
            joined={inside.get(message.id) ?? NOTHING}
            showQuestion={showQuestion}
          />
        );
      })}
    </>
  );
}
