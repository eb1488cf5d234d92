import type { Message } from "../../contract/message.ts";

/**
 * An answer and the messages that reached the model while it wrote it, in the order in which the model met them. The
 * pieces of the answer keep its id.
 */
export function withSteering(answer: Message, steering: ReadonlyMap<string, Message>): Message[] {
  const { steeredBy = [], steeredAt = [], ...metadata } = answer.metadata;
  const pieces: Message[] = [];
  let from = 0;
  const cut = (to: number): void => {
    if (to > from) pieces.push({ ...answer, metadata, parts: answer.parts.slice(from, to) });
    from = Math.max(from, to);
  };
  for (const [index, id] of steeredBy.entries()) {
    cut(steeredAt[index] ?? 0);
    const message = steering.get(id);
    if (message) pieces.push(message);
  }
  if (pieces.length === 0) return [answer];
  cut(answer.parts.length);
  return pieces;
}

/** Each answer behind the message it answers: messages that waited in the queue stand before answers in the log. */
function inAnswerOrder(messages: readonly Message[]): Message[] {
  const answers = new Map<string, Message[]>();
  const questions = new Set(messages.filter((message) => message.role === "user").map((message) => message.id));
  const rest: Message[] = [];
  for (const message of messages) {
    const replyTo = message.role === "assistant" ? message.metadata.replyTo : undefined;
    if (replyTo !== undefined && questions.has(replyTo))
      answers.set(replyTo, [...(answers.get(replyTo) ?? []), message]);
    else rest.push(message);
  }
  return rest.flatMap((message) => [message, ...(answers.get(message.id) ?? [])]);
}

/**
 * What a turn answers: the path in the order of question and answer, without the questions that wait behind its own,
 * and with messages that steered an answer where they reached it. The last message is the one to answer.
 */
export function historyFor(path: readonly Message[], replyTo: string): Message[] {
  const answered = new Set(path.flatMap((message) => message.metadata.replyTo ?? []));
  const steeredBy = new Set(path.flatMap((message) => message.metadata.steeredBy ?? []));
  steeredBy.delete(replyTo); // asked again by itself
  const steering = new Map(path.filter((message) => steeredBy.has(message.id)).map((each) => [each.id, each]));
  const at = path.findIndex((message) => message.id === replyTo);
  const waits = (message: Message, index: number): boolean =>
    index > at && message.role === "user" && !answered.has(message.id);
  const told = path.filter((message, index) => !steering.has(message.id) && !waits(message, index));
  return inAnswerOrder(told).flatMap((message) =>
    message.role === "assistant" ? withSteering(message, steering) : [message],
  );
}
