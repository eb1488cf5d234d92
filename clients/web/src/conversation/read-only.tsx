import { useQuery } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { conversationQuery, meQuery } from "../app/api.ts";

/** Whether this person may read the conversation and not write in it. What is not known yet counts as allowed: the server decides. */
export function useReadOnly(conversationId: string): boolean {
  const { data: conversation } = useQuery(conversationQuery(conversationId));
  const { data: me } = useQuery(meQuery);
  if (!conversation || !me || conversation.ownerUserId === me.user.id) return false;
  return me.workspaces.find(({ id }) => id === conversation.workspaceId)?.role === "viewer";
}

export function ReadOnlyLine() {
  return (
    <p className="flex items-center justify-center gap-2 rounded-2xl border border-line bg-panel px-4 py-3.5 text-[14px] text-soft">
      <Eye className="size-4 shrink-0" aria-hidden="true" />
      You read along here as a viewer. To write, ask who manages the workspace to make you a member.
    </p>
  );
}
