/** Who may dial in, which of the machine's sockets counts, and where requests go. */
import * as z from "zod";
import {
  CONNECTOR_PROTOCOL,
  CONNECTOR_PROTOCOL_VERSION,
  decodeMachineFrame,
  type MachineFrame,
  SILENT_AFTER_MS,
  type StackFrame,
} from "../../shared/contract/connector-frames.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { ConnectorTarget, DialIn } from "../../shared/ports/connector-gateway.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { answer, offline, unknownMachine, wentAway } from "./answers.ts";
import type { IdentityBook } from "./identity.ts";
import { Line } from "./line.ts";
import { Offer } from "./presence.ts";

/** What hibernation keeps of a socket. `offer` is null before `hello`; `nextStream` was not opened on it yet. */
const Attachment = z.object({
  at: z.number(),
  offer: Offer.nullable(),
  isClosed: z.boolean(),
  nextStream: z.int().positive(),
});
type Attachment = z.infer<typeof Attachment>;

const SILENT: Attachment = { at: 0, offer: null, isClosed: false, nextStream: 1 };

interface Deps {
  ctx: Pick<DurableObjectState, "acceptWebSocket" | "getWebSockets" | "getWebSocketAutoResponseTimestamp">;
  identity: IdentityBook;
  timers: Pick<Timers, "after">;
  now(): number;
  /** The machine is there now, or away; it was heard of last at that time (ms). */
  onPresence(heardAtMs: number): void;
}

interface Machine {
  socket: WebSocket;
  offer: Offer;
  line: Line;
}

type HelloFrame = Extract<MachineFrame, { type: "hello" }>;

export class Switchboard {
  readonly #deps: Deps;
  #machine: Machine | null = null;
  #heardAt = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Takes up the socket that was there before this object slept. */
  wake(): void {
    for (const socket of this.#deps.ctx.getWebSockets()) {
      const { at, offer, isClosed } = attachmentOf(socket);
      if (isClosed || !offer) continue;
      this.#heardAt = Math.max(this.#heardAt, at);
      // Greeted anew, the machine ends what it still does for a stream of before.
      this.#greet(socket, offer);
    }
  }

  /** What the machine offers; null while it is away. */
  get offer(): Offer | null {
    return this.#machine?.offer ?? null;
  }

  dialIn(request: Request, dialIn: DialIn): Response {
    const protocols = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((each) => each.trim());
    if (!protocols.includes(CONNECTOR_PROTOCOL)) {
      return new Response(`This address speaks the subprotocol ${CONNECTOR_PROTOCOL}.`, { status: 400 });
    }
    const admitted = this.#deps.identity.admit(dialIn);
    if (admitted === "refused") return new Response(null, { status: 401 });
    const { 0: client, 1: server } = new WebSocketPair();
    // One that says nothing is not kept beside the next.
    this.#closeOthers(server, ({ offer }) => admitted === "new-secret" || offer === null);
    this.#deps.ctx.acceptWebSocket(server);
    server.serializeAttachment({ ...SILENT, at: this.#deps.now() } satisfies Attachment);
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": CONNECTOR_PROTOCOL },
    });
  }

  async ask(target: ConnectorTarget, request: Request, requestId: string): Promise<Response> {
    const known = this.#deps.identity.known;
    if (!known || known.ownerUserId !== target.ownerUserId) return unknownMachine();
    if (this.#machine && this.#isSilent()) this.#cutSilent();
    else if (!this.#machine) this.#deps.onPresence(this.#deps.now());
    const machine = this.#machine;
    if (!machine) return offline(known.name);
    if (!machine.offer.upstreams.some(({ name }) => name === target.upstream)) {
      const sentence = `The machine "${known.name}" does not offer "${target.upstream}"; name it in its configuration, or choose another provider.`;
      return answer("connector_offline", sentence);
    }
    return await machine.line.ask(target.upstream, request, requestId);
  }

  cancel(requestId: string): void {
    this.#machine?.line.cancel(requestId);
  }

  message(socket: WebSocket, data: string | ArrayBuffer): void {
    const attachment = attachmentOf(socket);
    if (attachment.isClosed) return;
    this.#heardAt = this.#deps.now();
    const wrong = attachment.offer ? this.#hear(socket, data) : this.#firstWord(socket, data);
    if (wrong !== null) this.#close(socket, CLOSE.wrongProtocol, wrong);
  }

  gone(socket: WebSocket): void {
    this.#leave(socket);
  }

  /** Nobody may stay. */
  closeAll(code: number, reason: string): void {
    for (const socket of this.#deps.ctx.getWebSockets()) this.#close(socket, code, reason);
  }

  #hear(socket: WebSocket, data: string | ArrayBuffer): string | null {
    const machine = this.#machine;
    if (machine?.socket !== socket) return null;
    if (typeof data !== "string") return machine.line.data(new Uint8Array(data));
    const decoded = decodeMachineFrame(data);
    return decoded.ok ? machine.line.frame(decoded.frame) : decoded.reason;
  }

  #firstWord(socket: WebSocket, data: string | ArrayBuffer): string | null {
    const decoded = typeof data === "string" ? decodeMachineFrame(data) : null;
    if (decoded && !decoded.ok) return decoded.reason;
    if (decoded?.frame.type !== "hello") return "`hello` must come first";
    if (decoded.frame.protocol !== CONNECTOR_PROTOCOL_VERSION) {
      return `this server speaks protocol ${CONNECTOR_PROTOCOL_VERSION}; update Mosaic on the machine`;
    }
    this.#welcome(socket, decoded.frame);
    return null;
  }

  #welcome(socket: WebSocket, { client, upstreams }: HelloFrame): void {
    const offer = { upstreams, clientVersion: client.version };
    this.#closeOthers(socket, () => true);
    socket.serializeAttachment({ ...SILENT, at: this.#deps.now(), offer } satisfies Attachment);
    this.#greet(socket, offer);
    this.#deps.onPresence(this.#deps.now());
  }

  #greet(socket: WebSocket, offer: Offer): void {
    const { known } = this.#deps.identity;
    if (!known) {
      this.#close(socket, CLOSE.deleted, "this machine was removed from Mosaic");
      return;
    }
    const { timers, now } = this.#deps;
    const line = new Line({
      socket,
      name: known.name,
      timers,
      now,
      heardAt: () => this.#lastHeard(socket),
      onSilent: () => this.#cutSilent(),
      // It goes on where an earlier life of this object ended: what is still under way from then belongs to nobody.
      nextStream: attachmentOf(socket).nextStream,
      onOpen: (nextStream) => socket.serializeAttachment({ ...attachmentOf(socket), nextStream }),
    });
    this.#machine = { socket, offer, line };
    const frame: StackFrame = {
      type: "welcome",
      protocol: CONNECTOR_PROTOCOL_VERSION,
      features: [],
      connectorId: known.connectorId,
      name: known.name,
      stamp: known.stamp,
    };
    try {
      socket.send(JSON.stringify(frame));
    } catch {
      this.#leave(socket);
    }
  }

  #lastHeard(socket: WebSocket): number {
    return Math.max(this.#heardAt, this.#deps.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
  }

  #isSilent(): boolean {
    const machine = this.#machine;
    return machine !== null && this.#deps.now() - this.#lastHeard(machine.socket) > SILENT_AFTER_MS;
  }

  #cutSilent(): void {
    if (this.#machine) this.#close(this.#machine.socket, CLOSE.tooSlow, "no ping came for too long");
  }

  #closeOthers(socket: WebSocket, which: (attachment: Attachment) => boolean): void {
    for (const other of this.#deps.ctx.getWebSockets()) {
      if (other === socket || !which(attachmentOf(other))) continue;
      this.#close(
        other,
        CLOSE.revoked,
        "another `npx mosaic connect` took over this machine; start one of them with another --name",
      );
    }
  }

  #close(socket: WebSocket, code: number, reason: string): void {
    const attachment = attachmentOf(socket);
    if (attachment.isClosed) return;
    socket.serializeAttachment({ ...attachment, isClosed: true });
    try {
      socket.close(code, reason);
    } catch {
      // It was closed from the other side already.
    }
    this.#leave(socket);
  }

  #leave(socket: WebSocket): void {
    if (this.#machine?.socket !== socket) return;
    const { line } = this.#machine;
    this.#machine = null;
    const name = this.#deps.identity.known?.name;
    line.fail(() => (name === undefined ? unknownMachine() : wentAway(name)));
    this.#deps.onPresence(this.#lastHeard(socket));
  }
}

/** A socket that is not accepted yet has none, which is as good as one that said nothing. */
function attachmentOf(socket: WebSocket): Attachment {
  const parsed = Attachment.safeParse(socket.deserializeAttachment());
  return parsed.success ? parsed.data : SILENT;
}
