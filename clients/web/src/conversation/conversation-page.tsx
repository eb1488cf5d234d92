import { useParams } from "@tanstack/react-router";
import { HomeLink, Trouble } from "../app/trouble-pages.tsx";
import { Conversation } from "./conversation.tsx";
import { useConversation } from "./use-conversation.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function ConversationPage() {
  const { conversationId } = useParams({ from: "/signed-in/chat/c/$conversationId" });
  if (!UUID.test(conversationId)) return <Gone />;
  // A conversation has its own client, draft and scroll position: another id is another component.
  return <AttachedConversation key={conversationId} conversationId={conversationId.toLowerCase()} />;
}

function AttachedConversation({ conversationId }: { conversationId: string }) {
  const { view, client } = useConversation(conversationId);
  const { connection } = view;
  if (connection.state === "closed" && connection.code !== 1000 && view.welcomedAt === null)
    return <Gone reason={connection.reason} />;
  return <Conversation conversationId={conversationId} view={view} client={client} />;
}

function Gone({ reason }: { reason?: string }) {
  return (
    <Trouble title="This conversation is not here" action={<HomeLink />}>
      {reason ?? "It was deleted, or it belongs to someone else."}
    </Trouble>
  );
}
