import type { Message } from "../../contract/message.ts";

/** A path of messages under new ids, linked among themselves, each saying where it comes from. */
export function copyPath(
  path: readonly Message[],
  fromConversationId: string,
  newId: () => string,
): { messages: Message[]; headId: string | null } {
  const ids = new Map(path.map((message) => [message.id, newId()]));
  let parentId: string | null = null;
  const messages = path.map((message, index): Message => {
    const id = ids.get(message.id) ?? newId();
    const { replyTo, steeredBy, turnId: _turn, receiptId: _receipt, ...metadata } = message.metadata;
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
        ...(answered === undefined ? {} : { replyTo: answered }),
        ...(steered === undefined ? {} : { steeredBy: steered }),
        forkedFrom: { conversationId: fromConversationId, messageId: message.id },
      },
    };
    parentId = id;
    return copy;
  });
  return { messages, headId: parentId };
}
