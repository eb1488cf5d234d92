import { DurableObject } from "cloudflare:workers";
import type * as Wire from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ClientKind } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import type { Proven } from "../../shared/domain/access/recent-proof.ts";
import { ok } from "../../shared/domain/app-error.ts";
import type { ConversationObject, OnceKey, Seed } from "../../shared/ports/conversation-object.ts";
import { servicesFor } from "../services-for.ts";
import type { Bindings } from "../stubs.ts";
import { admit, create } from "./birth.ts";
import { createRoom } from "./create-room.ts";
import { forkInto } from "./fork.ts";
import { handleFrame } from "./handle-frame.ts";
import { removeConversation, removeOwned, revoke } from "./lifecycle.ts";
import { deleteMessage, listMessages } from "./messages.ts";
import { onAlarm } from "./on-alarm.ts";
import { editOnce, sendOnce } from "./once.ts";
import type { Room } from "./room.ts";
import { conversationContext } from "./session-info.ts";
import { settleJob } from "./settle-job.ts";
import { forgetSocket, issueTicket, serveStream } from "./streams.ts";
import { updateConversation } from "./update.ts";

/** One conversation. A shell: it admits, calls, answers; what happens is decided in the files beside it. */
export class Conversation extends DurableObject<Bindings> implements ConversationObject {
  readonly #room: Room;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    this.#room = createRoom(ctx, env, servicesFor(env));
  }

  override fetch(request: Request): Promise<Response> {
    return serveStream(this.#room, request);
  }

  async create(
    principal: Principal,
    conversation: Wire.Conversation,
    seed: Seed | null,
  ): Promise<Result<Wire.Conversation>> {
    const born = create(this.#room, principal, conversation, seed);
    if (born.ok) this.#room.attachments.note(principal);
    return born;
  }

  async isBorn(): Promise<boolean> {
    return this.#room.journal.conversation !== null;
  }

  async describe(principal: Principal): Promise<Result<Wire.Conversation>> {
    return await this.#with(principal, "read", () => ok(this.#room.journal.born));
  }

  async update(
    principal: Principal,
    changes: Wire.UpdateConversation,
    ifVersion?: number,
  ): Promise<Result<Wire.Conversation>> {
    return await this.#with(principal, "write", () => updateConversation(this.#room, principal, changes, ifVersion));
  }

  async remove(principal: Principal, ifVersion?: number): Promise<Result<null>> {
    return await this.#with(principal, "own", () => removeConversation(this.#room, principal, ifVersion));
  }

  async removeOwned(principal: Principal): Promise<Result<null>> {
    return await removeOwned(this.#room, principal);
  }

  async send(
    principal: Principal,
    body: Wire.SendMessage & { id: string },
    client: ClientKind,
    once: OnceKey | null = null,
  ): Promise<Result<Wire.SendAccepted & { duplicate: boolean }>> {
    return await this.#with(principal, "write", () => sendOnce(this.#room, principal, body, client, once));
  }

  async stop(principal: Principal, turnId?: string): Promise<Result<{ stopped: boolean }>> {
    return await this.#with(principal, "write", () =>
      ok({ stopped: this.#room.queue.stop(turnId, `Stopped by ${principal.name}.`) }),
    );
  }

  async messages(principal: Principal, query: Wire.ListMessages) {
    return await this.#with(principal, "read", () => listMessages(this.#room.journal, query));
  }

  async edit(principal: Principal, messageId: string, body: Wire.EditMessage, once: OnceKey | null = null) {
    return await this.#with(principal, "write", () => editOnce(this.#room, principal, messageId, body, once));
  }

  async deleteMessage(principal: Principal, messageId: string): Promise<Result<null>> {
    return await this.#with(principal, "write", () => deleteMessage(this.#room, messageId));
  }

  async fork(principal: Principal, messageId: string, id: string): Promise<Result<Wire.Conversation>> {
    return await this.#with(principal, "read", () => forkInto(this.#room, principal, messageId, id));
  }

  async context(principal: Principal): Promise<Result<Wire.ConversationContext>> {
    return await this.#with(principal, "read", () => ok(conversationContext(this.#room)));
  }

  async ticket(principal: Principal, origin: string | null): Promise<Result<{ ticket: string; expiresAt: string }>> {
    return await this.#with(principal, "read", () => issueTicket(this.#room, principal, origin));
  }

  async proofOf(credentialHash: string): Promise<Proven | null> {
    return this.#room.attachments.proofOf(credentialHash);
  }

  async settleJob(principal: Principal, jobId: string, decision: "retry" | "cancel") {
    return await settleJob(this.#room, principal, jobId, decision);
  }

  async revoke(what: { credentialId: string } | { userId: string; workspaceId: string }): Promise<void> {
    revoke(this.#room, what);
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    await handleFrame(this.#room, socket, data);
  }

  override webSocketClose(socket: WebSocket): void {
    forgetSocket(this.#room, socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket);
  }

  override alarm(): void {
    onAlarm(this.#room);
  }

  async #with<Value>(
    principal: Principal,
    needed: "read" | "write" | "own",
    work: () => Result<Value> | Promise<Result<Value>>,
  ): Promise<Result<Value>> {
    const admitted = await admit(this.#room, principal, needed);
    if (!admitted.ok) return admitted;
    this.#room.attachments.note(principal);
    return await work();
  }
}
