import type { Conversation } from "../../../shared/contract/conversation.ts";
import type { Services } from "../../../shared/runtime/services.ts";

const PAGE = 100;

/** Everything the user owns, page by page; what others share with them is not theirs. */
export async function* ownConversations(
  services: Pick<Services, "conversations">,
  userId: string,
): AsyncGenerator<Conversation[]> {
  let cursor: string | undefined;
  do {
    const page = await services.conversations.list({ userId }, { cursor, limit: PAGE });
    yield page.items.filter(({ ownerUserId }) => ownerUserId === userId);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
