import type { Conversation, ImportConversation } from "../../contract/conversation.ts";
import type { ConversationEvent, LoggedEvent } from "../../contract/events.ts";
import type { Message, Part } from "../../contract/message.ts";
import { AppError } from "../app-error.ts";
import { endOpenWork } from "./end-open-work.ts";
import { DEFAULT_TITLE } from "./title.ts";

export interface ImportFacts {
  /** Who imports; what others wrote is not said to be theirs. */
  userId: string;
  /** ISO time of now: nothing happened later. */
  at: string;
  newId(): string;
}

/** An export as a new conversation of the importer's: every id is new, every event is checked and in its place. */
export interface ImportedLog extends Pick<Conversation, "title" | "model" | "forkedFrom"> {
  log: LoggedEvent[];
}

/** The most one event may take: what one row of an object's storage holds, with room to spare. */
const LONGEST_EVENT_BYTES = 1_800_000;
const LONGEST_NAME = 200;

/** A message where it entered the log: this part of it never changes. */
type Origin = Pick<Message, "id" | "seq" | "parentId" | "role" | "createdAt">;

interface Reading {
  facts: ImportFacts;
  ownerUserId: string;
  ids: Map<string, string>;
  messages: Map<string, Origin>;
  turns: Map<string, { messageId: string; open: boolean }>;
  title: string;
  model: string | null;
}

/**
 * Reads an export, which may come from anywhere. Answers that were being written, and messages that waited, end here.
 * @throws AppError `invalid_request` that names the first event which cannot be, `too_large`
 */
export function importLog(exported: ImportConversation, facts: ImportFacts): ImportedLog {
  const { conversation, events } = exported;
  const reading: Reading = {
    facts,
    ownerUserId: conversation.ownerUserId,
    ids: new Map(),
    messages: new Map(),
    turns: new Map(),
    title: titled(conversation.title),
    model: conversation.model === null ? null : named(0, conversation.model),
  };
  const read = events.map(({ seq, at, event }, index): LoggedEvent => {
    if (seq !== index + 1) refuse(index, `has the position ${seq} where ${index + 1} must be`);
    const when = earlier(at, facts.at);
    const logged = { seq, at: when, event: eventOf(reading, index, when, event) };
    checkLength(index, logged.event);
    return logged;
  });
  const { forkedFrom } = conversation;
  return {
    title: reading.title,
    model: reading.model,
    forkedFrom: forkedFrom && {
      conversationId: renew(reading, forkedFrom.conversationId),
      messageId: renew(reading, forkedFrom.messageId),
    },
    log: endOpenWork(read, facts),
  };
}

function refuse(index: number, why: string): never {
  const message = `The event ${why}; import a file as it was exported.`;
  throw new AppError("invalid_request", `\`events.${index}\`: ${message}`, {
    errors: [{ path: `events.${index}`, message }],
  });
}

const earlier = (one: string, other: string): string => (Date.parse(one) < Date.parse(other) ? one : other);

const titled = (title: string): string => [...title].slice(0, LONGEST_NAME).join("").trim() || DEFAULT_TITLE;

function named(index: number, name: string): string {
  if (name.length > LONGEST_NAME) refuse(index, `names a model with more than ${LONGEST_NAME} characters`);
  return name;
}

function checkLength(index: number, event: ConversationEvent): void {
  const json = JSON.stringify(event);
  if (json.length * 3 <= LONGEST_EVENT_BYTES) return;
  if (new TextEncoder().encode(json).byteLength <= LONGEST_EVENT_BYTES) return;
  throw new AppError("too_large", `\`events.${index}\`: An event takes at most ${LONGEST_EVENT_BYTES} bytes.`);
}

/** The same id for the same thing, and one that names nothing of anybody's. */
function renew({ ids, facts }: Pick<Reading, "ids" | "facts">, id: string): string {
  const known = ids.get(id) ?? facts.newId();
  ids.set(id, known);
  return known;
}

function known({ messages }: Reading, index: number, id: string): Origin {
  return messages.get(id) ?? refuse(index, `speaks of the message ${id}, which is not there yet`);
}

function parent(reading: Reading, index: number, id: string | null): string | null {
  return id === null ? null : known(reading, index, id).id;
}

function openTurn(reading: Reading, index: number, id: string): { messageId: string; open: boolean } {
  const turn = reading.turns.get(id);
  if (!turn) return refuse(index, `speaks of the turn ${id}, which has not begun`);
  if (!turn.open) refuse(index, `speaks of the turn ${id}, which has ended`);
  return turn;
}

/** Enters a message into the tree. Its parent is there already, so there is no loop. */
function enter(reading: Reading, index: number, id: string, origin: Omit<Origin, "id" | "seq">): Origin {
  if (reading.messages.has(id)) refuse(index, `adds the message ${id} a second time`);
  const entered = { ...origin, id: renew(reading, id), seq: index + 1 };
  reading.messages.set(id, entered);
  return entered;
}

function eventOf(reading: Reading, index: number, at: string, event: ConversationEvent): ConversationEvent {
  switch (event.type) {
    case "message:added": {
      const { id, parentId, role, createdAt } = event.message;
      enter(reading, index, id, {
        parentId: parent(reading, index, parentId),
        role,
        createdAt: earlier(createdAt, reading.facts.at),
      });
      return { ...event, message: messageOf(reading, index, event.message) };
    }
    case "message:updated":
      return { ...event, message: messageOf(reading, index, event.message) };
    case "message:deleted":
      return { ...event, messageId: known(reading, index, event.messageId).id };
    case "head:moved":
      return { ...event, messageId: parent(reading, index, event.messageId) };
    case "model:switched":
      reading.model = event.pinned && event.model !== null ? named(index, event.model) : null;
      return event;
    case "agent:switched":
      return { ...event, agent: event.agent && { ...event.agent, id: renew(reading, event.agent.id) } };
    case "title:changed":
      reading.title = titled(event.title);
      return { ...event, title: reading.title };
    case "checkpoint:created":
      if (event.upToSeq > index + 1) refuse(index, "speaks of a position that is not there yet");
      return event;
    case "turn:started":
      return started(reading, index, at, event);
    default:
      return ofTurn(reading, index, event);
  }
}

type Started = Extract<ConversationEvent, { type: "turn:started" }>;

function started(reading: Reading, index: number, at: string, event: Started): ConversationEvent {
  if (reading.turns.has(event.turnId)) refuse(index, `begins the turn ${event.turnId} a second time`);
  const replyTo = known(reading, index, event.replyTo).id;
  const parentId = parent(reading, index, event.parentId ?? null);
  const { id } = enter(reading, index, event.messageId, { parentId, role: "assistant", createdAt: at });
  reading.turns.set(event.turnId, { messageId: event.messageId, open: true });
  const { chosen, rule } = event.receipt;
  const receipt = {
    ...event.receipt,
    id: renew(reading, event.receipt.id),
    chosen: chosen.agentId === undefined ? chosen : { ...chosen, agentId: renew(reading, chosen.agentId) },
    rule: rule && { ...rule, id: renew(reading, rule.id) },
  };
  return {
    ...event,
    turnId: renew(reading, event.turnId),
    messageId: id,
    replyTo,
    ...(event.parentId === undefined ? {} : { parentId }),
    receipt,
  };
}

/** What happens in a turn that has begun and has not ended. */
function ofTurn(
  reading: Reading,
  index: number,
  event: Extract<ConversationEvent, { turnId: string }>,
): ConversationEvent {
  const turn = openTurn(reading, index, event.turnId);
  const turnId = renew(reading, event.turnId);
  if (event.type === "turn:failed") turn.open = false;
  if (event.type !== "turn:completed" && event.type !== "turn:interrupted") return { ...event, turnId };
  if (event.message.id !== turn.messageId)
    refuse(index, `ends the turn ${event.turnId} with a message that is not its own`);
  if (event.type === "turn:completed" || !event.willContinue) turn.open = false;
  return { ...event, turnId, message: messageOf(reading, index, event.message) };
}

function messageOf(reading: Reading, index: number, message: Message): Message {
  const origin = known(reading, index, message.id);
  const { authorUserId, receiptId, agentId, turnId, replyTo, steeredBy, forkedFrom, ...rest } = message.metadata;
  const again = (id: string) => renew(reading, id);
  return {
    ...message,
    ...origin,
    updatedSeq: index + 1,
    parts: message.parts.map((part) => partOf(reading, part)),
    metadata: {
      ...rest,
      // Others' words stay, without a name: nobody can say here what another account wrote.
      ...(authorUserId === reading.ownerUserId ? { authorUserId: reading.facts.userId } : {}),
      ...(receiptId === undefined ? {} : { receiptId: again(receiptId) }),
      ...(agentId === undefined ? {} : { agentId: again(agentId) }),
      ...(turnId === undefined ? {} : { turnId: again(turnId) }),
      ...(replyTo === undefined ? {} : { replyTo: again(replyTo) }),
      ...(steeredBy === undefined ? {} : { steeredBy: steeredBy.map(again) }),
      ...(forkedFrom === undefined
        ? {}
        : { forkedFrom: { conversationId: again(forkedFrom.conversationId), messageId: again(forkedFrom.messageId) } }),
    },
  };
}

/** A file's id would be a key to a file; in another house, or another's hands, it opens nothing. */
const partOf = (reading: Reading, part: Part): Part =>
  part.type === "image" || part.type === "file" ? { ...part, fileId: renew(reading, part.fileId) } : part;
