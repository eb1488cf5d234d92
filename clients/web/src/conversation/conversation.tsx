import { ArrowDown } from "lucide-react";
import { useCallback, useEffect } from "react";
import type { ConversationClient } from "../../../../shared/client/conversation-client.ts";
import type { View } from "../../../../shared/client/view-state.ts";
import { api, conversationsQuery, queryClient } from "../app/api.ts";
import { titleOf } from "../chat/conversation-item.tsx";
import { Answer } from "./answer.tsx";
import { CommandResults } from "./command-results.tsx";
import { isCommand } from "./commands.ts";
import { Composer } from "./composer.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { LiveAnnouncement } from "./live-announcement.tsx";
import { ModelPicker } from "./model-picker.tsx";
import { Question } from "./question.tsx";
import { SharedMark } from "./shared-mark.tsx";
import { useCommands } from "./use-commands.ts";
import { useStickToBottom } from "./use-stick-to-bottom.ts";

interface ConversationProps {
  conversationId: string;
  view: View;
  client: ConversationClient | null;
}

/** The list at the side learns of titles and order from here. */
function useListRefresh(title: string | null, running: boolean): void {
  useEffect(() => {
    if (!running) void queryClient.invalidateQueries({ queryKey: conversationsQuery.queryKey });
  }, [running]);
  useEffect(() => {
    if (title !== null) void queryClient.invalidateQueries({ queryKey: conversationsQuery.queryKey });
    document.title = title === null ? "Mosaic" : `${titleOf(title)} · Mosaic`;
  }, [title]);
}

function useEscape(active: boolean, run: () => void): void {
  useEffect(() => {
    if (!active) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) run();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [active, run]);
}

const pinnedModel = (view: View): string | null => (view.session?.model?.pinned ? view.session.model.id : null);

export function Conversation({ conversationId, view, client }: ConversationProps) {
  const { scroller, content, away, toBottom } = useStickToBottom();
  const { entries, run, dismiss } = useCommands(client);
  const running = view.running !== null;
  const stop = useCallback(() => client?.stopTurn(), [client]);
  useEscape(running, stop);
  useListRefresh(view.title, running);
  const send = (text: string) => {
    if (!client) throw new Error("Not attached yet.");
    if (isCommand(text)) void run(text);
    else client.send({ text }).acknowledged.catch(() => undefined);
    toBottom();
  };
  const closed = view.connection.state === "closed";
  return (
    <main className="flex min-h-0 flex-1 flex-col">
      <header className="flex h-[52px] shrink-0 items-center justify-center gap-3 px-14">
        <h1 title={view.title ?? undefined} className="min-w-0 truncate text-[14px] font-medium text-soft">
          {view.welcomedAt === null ? "" : titleOf(view.title)}
        </h1>
        <SharedMark conversationId={conversationId} />
      </header>
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto px-4 sm:px-6">
        <div ref={content} className="mx-auto w-full max-w-[46rem] pb-8 pt-2">
          <Messages conversationId={conversationId} view={view} client={client} onRun={run} />
          <CommandResults entries={entries} onDismiss={dismiss} />
        </div>
      </div>
      <div className="relative mx-auto w-full max-w-[48rem] shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4">
        {away ? (
          <button
            type="button"
            aria-label="Jump to the latest"
            onClick={toBottom}
            className="absolute -top-12 left-1/2 flex size-9 -translate-x-1/2 items-center justify-center rounded-full border border-line bg-raised text-soft shadow-float hover:text-ink"
          >
            <ArrowDown className="size-4" />
          </button>
        ) : null}
        <ConnectionBanner connection={view.connection} onRetry={() => client?.wake()} />
        <Composer
          draftKey={conversationId}
          onSend={send}
          onStop={stop}
          answering={running}
          disabled={closed || client === null}
          tools={<ModelPicker pinned={pinnedModel(view)} onPick={(model) => void run(`/model ${model ?? "clear"}`)} />}
        />
      </div>
      <LiveAnnouncement view={view} />
    </main>
  );
}

interface MessagesProps extends ConversationProps {
  onRun: (command: string) => Promise<void>;
}

function Messages({ conversationId, view, client, onRun }: MessagesProps) {
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
  const loading = view.welcomedAt === null || view.seq < view.welcomedAt;
  const shown = view.messages.filter(
    (message) => !message.deleted && (message.role === "user" || message.role === "assistant"),
  );
  if (loading && shown.length === 0)
    return (
      <p className="py-16 text-center text-[14px] text-soft">
        {view.connection.state === "waiting" ? "It opens once Mosaic answers." : "Opening…"}
      </p>
    );
  if (shown.length === 0) return <p className="py-16 text-center text-soft">Nothing said yet. Begin below.</p>;
  return shown.map((message, index) =>
    message.role === "user" ? (
      <Question key={message.id} message={message} onEdit={edit} onResend={resend} onDiscard={discard} />
    ) : (
      <Answer
        key={message.id}
        message={message}
        latest={index === shown.length - 1}
        onRetry={retry}
        onDecideTool={decideTool}
      />
    ),
  );
}
