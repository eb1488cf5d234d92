import type { Conversation } from "../../shared/contract/conversation.ts";
import type { PublicError, Result } from "../../shared/contract/errors.ts";
import type { ClientKind } from "../../shared/contract/frames.ts";
import type { Message } from "../../shared/contract/message.ts";
import { fail, ok } from "../../shared/domain/app-error.ts";
import { markdownHead, markdownOf } from "../../shared/domain/conversation/export-markdown.ts";
import { type ConversationObject, OBJECT_HEADERS, type OnceKey } from "../../shared/ports/conversation-object.ts";
import type { Principal } from "../../shared/ports/sign-in.ts";

const gone = fail("not_found", "There is no such conversation.");

const refused = (error: PublicError): Response =>
  Response.json(error, { status: 400, headers: { [OBJECT_HEADERS.refused]: "1" } });

/** A conversation in memory with one owner, so that the edge can be tested without the object. */
export class MemoryObject implements ConversationObject {
  #conversation: Conversation | null = null;
  #messages: Message[] = [];
  #sent = new Set<string>();
  #answered = new Map<string, { fingerprint: string; result: Awaited<ReturnType<MemoryObject["send"]>> }>();
  busy = false;
  /** What the edge handed over last, as it arrived. */
  lastRequest: Request | null = null;
  readonly #removed: (id: string) => void;

  constructor(removed: (id: string) => void) {
    this.#removed = removed;
  }

  #with<Value>(principal: Principal, work: (born: Conversation) => Result<Value>): Promise<Result<Value>> {
    const born = this.#conversation;
    return Promise.resolve(born && born.ownerUserId === principal.userId ? work(born) : gone);
  }

  async fetch(request: Request): Promise<Response> {
    this.lastRequest = request;
    if (!this.#conversation) return refused(gone.error);
    const { pathname } = new URL(request.url);
    if (pathname === "/socket") {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(`echo ${data}`));
      return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "mosaic.v1" } });
    }
    if (pathname === "/export")
      return this.#export(this.#conversation, new URL(request.url).searchParams.get("format"));
    return new Response(`data: ${JSON.stringify({ path: pathname, body: await request.text() })}\n\n`, {
      headers: { "content-type": "text/event-stream" },
    });
  }

  #export(conversation: Conversation, format: string | null): Response {
    const messages = this.#messages;
    if (format === "markdown")
      return new Response(markdownHead(conversation) + messages.map((each) => markdownOf(each)).join(""));
    const exportedAt = new Date(0).toISOString();
    return Response.json({ format: "mosaic.conversation.v1", exportedAt, conversation, messages, events: [] });
  }

  async create(_principal: Principal, conversation: Conversation): Promise<Result<Conversation>> {
    this.#conversation ??= conversation;
    return ok(this.#conversation);
  }

  async isBorn(): Promise<boolean> {
    return this.#conversation !== null;
  }

  describe(principal: Principal) {
    return this.#with(principal, ok);
  }

  update(principal: Principal, changes: { title?: string | undefined }, ifVersion?: number) {
    return this.#with(principal, (born): Result<Conversation> => {
      if (ifVersion !== undefined && ifVersion !== born.version) return fail("version_conflict", "It was changed.");
      this.#conversation = { ...born, title: changes.title ?? born.title, version: born.version + 1 };
      return ok(this.#conversation);
    });
  }

  remove(principal: Principal) {
    return this.#with(principal, (born): Result<null> => {
      this.#conversation = null;
      this.#removed(born.id);
      return ok(null);
    });
  }

  send(
    principal: Principal,
    body: { id: string; text?: string | undefined },
    _client: ClientKind,
    once: OnceKey | null = null,
  ): Promise<ReturnType<MemoryObject["accepted"]>> {
    return this.#with(principal, (): ReturnType<MemoryObject["accepted"]> => {
      const before = once && this.#answered.get(once.key);
      if (before && before.fingerprint !== once.fingerprint)
        return fail("idempotency_conflict", "This Idempotency-Key was used with another body; take a new key.");
      if (before) return before.result;
      if (this.busy) return fail("busy", "An answer is running; send again when it has ended.");
      const result = this.accepted(body.id, body.text ?? "");
      if (once) this.#answered.set(once.key, { fingerprint: once.fingerprint, result });
      return result;
    });
  }

  accepted(
    id: string,
    text: string,
  ): Result<{ messageId: string; seq: number; state: "started"; turnId: string | null; duplicate: boolean }> {
    const duplicate = this.#sent.has(id);
    if (!duplicate) this.#add(id, text);
    const seq = this.#messages.findIndex((message) => message.id === id) + 1;
    return ok({ messageId: id, seq, state: "started", turnId: null, duplicate });
  }

  #add(id: string, text: string): Message {
    this.#sent.add(id);
    const seq = this.#messages.length + 1;
    const message: Message = {
      id,
      seq,
      updatedSeq: seq,
      parentId: this.#messages.at(-1)?.id ?? null,
      role: "user",
      parts: [{ type: "text", text }],
      metadata: {},
      createdAt: new Date(0).toISOString(),
    };
    this.#messages.push(message);
    if (this.#conversation) this.#conversation = { ...this.#conversation, headId: id };
    return message;
  }

  stop(principal: Principal) {
    return this.#with(principal, () => ok({ stopped: false }));
  }

  messages(principal: Principal) {
    return this.#with(principal, () => ok({ items: this.#messages, nextCursor: null }));
  }

  edit(principal: Principal, messageId: string, body: { text?: string | undefined }) {
    return this.#with(
      principal,
      (): Result<Message> =>
        this.#sent.has(messageId)
          ? ok(this.#add(crypto.randomUUID(), body.text ?? ""))
          : fail("not_found", "There is no such message."),
    );
  }

  deleteMessage(principal: Principal, messageId: string) {
    return this.#with(
      principal,
      (): Result<null> => (this.#sent.has(messageId) ? ok(null) : fail("not_found", "There is no such message.")),
    );
  }

  fork(principal: Principal, messageId: string) {
    return this.#with(
      principal,
      (born): Result<Conversation> =>
        this.#sent.has(messageId)
          ? ok({ ...born, title: `${born.title} (fork)`, forkedFrom: { conversationId: born.id, messageId } })
          : fail("not_found", "There is no such message."),
    );
  }

  context(principal: Principal) {
    return this.#with(principal, () =>
      ok({ model: null, usedTokens: 0, windowTokens: null, messages: 0, included: 0, leftOut: 0 }),
    );
  }

  ticket(principal: Principal, origin: string | null) {
    return this.#with(principal, () =>
      ok({ ticket: `ticket-for-${origin ?? "nobody"}`, expiresAt: new Date(0).toISOString() }),
    );
  }

  removeOwned(principal: Principal) {
    return this.remove(principal);
  }

  async settleJob(): Promise<Result<null>> {
    return ok(null);
  }

  async proofOf(): Promise<null> {
    return null;
  }

  async revoke(): Promise<void> {}
}
