import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, conversationsQuery, meQuery, modelsQuery, queryClient } from "../app/api.ts";
import { Composer } from "./composer.tsx";
import { keepFirstMessage } from "./first-message.ts";
import { ModelPicker } from "./model-picker.tsx";
import { refuseUnsendable } from "./sendable.ts";
import { WorkspacePicker } from "./workspace-picker.tsx";

const EXAMPLES = [
  {
    title: "Think something through",
    prompt: "Help me weigh a decision: ask me three questions first, then lay out the trade-offs.",
  },
  {
    title: "Explain it well",
    prompt: "Explain how a write-ahead log keeps a database safe through a crash, with one small example.",
  },
  { title: "Get to know this place", prompt: "What can you do here, and how do I connect a model?" },
] as const;

function greeting(now: Date, name: string | undefined): string {
  const hour = now.getHours();
  const part = hour < 5 ? "Good night" : hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
  const first = name?.trim().split(/\s+/)[0];
  return first ? `${part}, ${first}` : part;
}

export function NewConversationPage() {
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const [model, setModel] = useState<string | null>(null);
  const [workspaceId, setWorkspaceId] = useState<string | null>(null);
  const [suggestion, setSuggestion] = useState<string>();
  useEffect(() => {
    document.title = "Mosaic";
  }, []);
  const send = async (text: string) => {
    // Before there is a conversation that nothing could be said in.
    refuseUnsendable(text);
    const conversation = await api.conversations.create({
      ...(model === null ? {} : { model }),
      ...(workspaceId === null ? {} : { workspaceId }),
    });
    const { user } = me ?? (await queryClient.ensureQueryData(meQuery));
    await keepFirstMessage(user.id, conversation.id, text);
    void queryClient.invalidateQueries({ queryKey: conversationsQuery.queryKey });
    await navigate({ to: "/c/$conversationId", params: { conversationId: conversation.id } });
  };
  return (
    <main className="flex min-h-0 flex-1 flex-col overflow-y-auto px-4">
      <div className="mx-auto flex w-full max-w-[44rem] flex-1 flex-col justify-center pb-[12vh] pt-16">
        <h1 className="mb-7 text-center font-serif text-[clamp(1.7rem,5vw,2.25rem)] leading-tight text-balance">
          {greeting(new Date(), me?.user.name)}
        </h1>
        <Composer
          draftKey="new"
          onSend={send}
          tools={
            <>
              <ModelPicker side="down" pinned={model} onPick={setModel} />
              <WorkspacePicker chosen={workspaceId} onPick={setWorkspaceId} />
            </>
          }
          {...(suggestion === undefined ? {} : { suggestion })}
        />
        <ul className="mt-4 grid gap-2 sm:grid-cols-3">
          {EXAMPLES.map(({ title, prompt }) => (
            <li key={title}>
              <button
                type="button"
                onClick={() => setSuggestion(prompt)}
                className="h-full w-full rounded-xl border border-line px-4 py-3 text-left transition hover:border-accent/50 hover:bg-raised"
              >
                <span className="block text-[14px] font-medium">{title}</span>
                <span className="mt-0.5 line-clamp-2 text-[13px] text-soft">{prompt}</span>
              </button>
            </li>
          ))}
        </ul>
        <ConnectHint />
      </div>
    </main>
  );
}

/** Shown only while nothing but the built-in guide can answer. */
function ConnectHint() {
  const { data } = useQuery(modelsQuery);
  if (!data || data.some(({ provider }) => provider !== "guide")) return null;
  return (
    <aside aria-label="Connect a model" className="mt-6 rounded-2xl bg-accent-wash px-5 py-4">
      <p className="font-medium">No language model is connected yet</p>
      <p className="mt-1 text-[14px] text-soft">
        Until then the built-in guide answers, from Mosaic’s own documentation. A key of a vendor, a login, or a
        computer of yours with Ollama is enough.
      </p>
      <p className="mt-3 flex flex-wrap gap-2 text-[14px]">
        <Link
          to="/settings/providers"
          search={{ add: "1" }}
          className="inline-flex h-9 items-center rounded-xl bg-accent px-4 font-medium text-accent-ink transition hover:opacity-90"
        >
          Connect a provider
        </Link>
        <Link
          to="/settings/machines"
          className="inline-flex h-9 items-center rounded-xl border border-line bg-raised px-4 transition hover:bg-hover"
        >
          Use a machine of mine
        </Link>
      </p>
    </aside>
  );
}
