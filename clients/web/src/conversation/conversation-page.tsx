import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { meQuery, refreshConversations } from "../app/api.ts";
import { HomeLink, Trouble } from "../app/trouble-pages.tsx";
import { Conversation } from "./conversation.tsx";
import { useConversation } from "./use-conversation.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function ConversationPage() {
  const { conversationId } = useParams({ from: "/signed-in/chat/c/$conversationId" });
  const { data: me } = useQuery(meQuery);
  if (!UUID.test(conversationId)) return <Gone />;
  // The route has loaded it before this page.
  if (!me) return null;
  const id = conversationId.toLowerCase();
  // A conversation has its own client, draft and scroll position: another id is another component.
  return <AttachedConversation key={id} userId={me.user.id} conversationId={id} />;
}

function AttachedConversation({ userId, conversationId }: { userId: string; conversationId: string }) {
  const { view, client } = useConversation(userId, conversationId);
  const { connection } = view;
  const ended = connection.state === "closed" && connection.code !== 1000;
  useEffect(() => {
    // Deleted somewhere else, most likely: the list at the side must not offer it any longer.
    if (ended) void refreshConversations();
  }, [ended]);
  if (connection.state === "closed" && ended && view.welcomedAt === null) return <Gone reason={connection.reason} />;
  return <Conversation conversationId={conversationId} view={view} client={client} />;
}

function Gone({ reason }: { reason?: string }) {
  return (
    <Trouble title="This conversation is not here" action={<HomeLink />}>
      {reason ?? "It was deleted, or it belongs to someone else."}
    </Trouble>
  );
}
