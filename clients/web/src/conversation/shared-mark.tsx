import { useQuery } from "@tanstack/react-query";
import { Users } from "lucide-react";
import { conversationQuery, meQuery } from "../app/api.ts";

/** Says beside the title who else reads along; nothing for a private conversation. */
export function SharedMark({ conversationId }: { conversationId: string }) {
  const { data: conversation } = useQuery(conversationQuery(conversationId));
  const { data: me } = useQuery(meQuery);
  if (conversation?.visibility !== "workspace") return null;
  const workspace = me?.workspaces.find(({ id }) => id === conversation.workspaceId);
  const name = workspace?.name ?? "a workspace";
  return (
    <span className="flex min-w-0 max-w-[45%] shrink-0 items-center gap-1.5 text-[13px] text-accent">
      <Users className="size-3.5 shrink-0" aria-hidden="true" />
      <span className="truncate" title={`Shared with ${name}`}>
        <span className="max-sm:sr-only">Shared with </span>
        {name}
      </span>
    </span>
  );
}
