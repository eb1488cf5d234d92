import { ArrowDown } from "lucide-react";
import { useCallback, useEffect } from "react";
import type { ConversationClient } from "../../../../shared/client/conversation-client.ts";
import type { View } from "../../../../shared/client/view-state.ts";
import { conversationsQuery, queryClient } from "../app/api.ts";
import { titleOf } from "../chat/conversation-item.tsx";
import { CommandResults } from "./command-results.tsx";
import { isCommand } from "./commands.ts";
import { Composer } from "./composer.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { LiveAnnouncement } from "./live-announcement.tsx";
import { Messages } from "./messages.tsx";
import { ModelPicker } from "./model-picker.tsx";
import { ReadOnlyLine, useReadOnly } from "./read-only.tsx";
import { SharedMark } from "./shared-mark.tsx";
import { StorageLine } from "./storage-line.tsx";
import { Told } from "./told.tsx";
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

/** By the name that the picker has for it. */
function pinnedModel({ session }: View): string | null {
  if (!session?.model?.pinned) return null;
  const { provider, id } = session.model;
  return provider === "" ? id : `${provider}/${id}`;
}

/** The browser asks before it closes a page with words that it could not keep anywhere. */
function useGuardUnkept(view: View): void {
  const unkept = view.pending.some(({ kept, state }) => !kept && state === "sending");
  useEffect(() => {
    if (!unkept) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [unkept]);
}

function JumpToLatest({ onJump }: { onJump: () => void }) {
  return (
    <button
      type="button"
      aria-label="Jump to the latest"
      onClick={onJump}
      className="absolute -top-12 left-1/2 flex size-9 -translate-x-1/2 items-center justify-center rounded-full border border-line bg-raised text-soft shadow-float hover:text-ink"
    >
      <ArrowDown className="size-4" />
    </button>
  );
}

function Header({ conversationId, view }: Pick<ConversationProps, "conversationId" | "view">) {
  return (
    <header className="flex h-[52px] shrink-0 items-center justify-center gap-3 px-14">
      <h1 title={view.title ?? undefined} className="min-w-0 truncate text-[14px] font-medium text-soft">
        {view.welcomedAt === null ? "" : titleOf(view.title)}
      </h1>
      <SharedMark conversationId={conversationId} />
    </header>
  );
}

export function Conversation({ conversationId, view, client }: ConversationProps) {
  const { scroller, content, away, toBottom } = useStickToBottom();
  const { entries, run, dismiss } = useCommands(client);
  const readOnly = useReadOnly(conversationId);
  const running = view.running !== null;
  const stop = useCallback(() => client?.stopTurn(), [client]);
  useEscape(running && !readOnly, stop);
  useListRefresh(view.title, running);
  useGuardUnkept(view);
  const say = (text: string, whenBusy: "queue" | "steer") => {
    if (!client) throw new Error("Not attached yet.");
    if (isCommand(text)) void run(text);
    else client.send({ text, whenBusy }).acknowledged.catch(() => undefined);
    toBottom();
  };
  const closed = view.connection.state === "closed";
  return (
    <main className="flex min-h-0 flex-1 flex-col">
      <Header conversationId={conversationId} view={view} />
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto px-4 sm:px-6">
        <div ref={content} className="mx-auto w-full max-w-[46rem] pb-8 pt-2">
          <Messages conversationId={conversationId} view={view} client={client} readOnly={readOnly} onRun={run} />
          <CommandResults entries={entries} onDismiss={dismiss} />
        </div>
      </div>
      <div className="relative mx-auto w-full max-w-[48rem] shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4">
        {away ? <JumpToLatest onJump={toBottom} /> : null}
        <ConnectionBanner connection={view.connection} onRetry={() => client?.wake()} />
        <Told notices={view.notices} />
        <StorageLine storage={view.connection.state === "open" ? view.session?.storage : undefined} />
        {readOnly ? (
          <ReadOnlyLine />
        ) : (
          <Composer
            draftKey={conversationId}
            onSend={(text) => say(text, "queue")}
            onSteer={(text) => say(text, "steer")}
            onStop={stop}
            answering={running}
            disabled={closed || client === null}
            tools={
              <ModelPicker pinned={pinnedModel(view)} onPick={(model) => void run(`/model ${model ?? "clear"}`)} />
            }
          />
        )}
      </div>
      <LiveAnnouncement view={view} />
    </main>
  );
}
