import type { Message } from "../../contract/message.ts";

/**
 * A path of messages under new ids, linked among themselves, each saying where it comes from. Others' words stay, without
 * a name: they said nothing in a conversation that they do not know of.
 * @param from the conversation they come from, and who copies
 */
export function copyPath(
  path: readonly Message[],
  from: { conversationId: string; userId: string },
  newId: () => string,
): { messages: Message[]; headId: string | null } {
  const ids = new Map(path.map((message) => [message.id, newId()]));
  let parentId: string | null = null;
  const messages = path.map((message, index): Message => {
    const id = ids.get(message.id) ?? newId();
    const { replyTo, steeredBy, authorUserId, turnId: _turn, receiptId: _receipt, ...metadata } = message.metadata;
    const answered = replyTo === undefined ? undefined : ids.get(replyTo);
    const steered = steeredBy?.map((each) => ids.get(each) ?? each);
    const copy: Message = {
      ...message,
      id,
      seq: index + 1,
      updatedSeq: index + 1,
      parentId,
      metadata: {
        ...metadata,
        ...(authorUserId === from.userId ? { authorUserId } : {}),
        ...(answered === undefined ? {} : { replyTo: answered }),
        ...(steered === undefined ? {} : { steeredBy: steered }),
        forkedFrom: { conversationId: from.conversationId, messageId: message.id },
      },
    };
    parentId = id;
    return copy;
  });
  return { messages, headId: parentId };
}
