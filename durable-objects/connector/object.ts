import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { ConnectorStamp } from "../../shared/contract/connector-credentials.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import { Id } from "../../shared/contract/primitives.ts";
import { CONNECTOR_DOORS, CONNECTOR_HEADERS, type ConnectorObject } from "../../shared/ports/connector-gateway.ts";
import type { Services } from "../../shared/runtime/services.ts";
import { servicesFor } from "../services-for.ts";
import type { Bindings } from "../stubs.ts";
import { IdentityBook } from "./identity.ts";
import { type Offer, Presence } from "./presence.ts";
import { Switchboard } from "./switchboard.ts";

const DialIn = z.object({
  connectorId: Id,
  stamp: ConnectorStamp,
  secretHash: z.string(),
  owner: z.object({ ownerUserId: Id, name: z.string() }).nullable(),
});
const Target = z.object({ connectorId: Id, ownerUserId: Id, upstream: z.string() });

const readHeader = <Value>(schema: z.ZodType<Value>, text: string): Value =>
  schema.parse(JSON.parse(decodeURIComponent(text)));

/** One machine of somebody's. A shell; idle it hibernates with its socket, and holds no timer. */
export class Connector extends DurableObject<Bindings> implements ConnectorObject {
  readonly #services: Services;
  readonly #identity: IdentityBook;
  readonly #switchboard: Switchboard;
  readonly #presence: Presence;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#services = servicesFor(env);
    const { timers } = this.#services;
    const now = (): number => this.#services.now().getTime();
    const isOwn = (connectorId: string): boolean => env.CONNECTOR.idFromName(connectorId).equals(ctx.id);
    this.#identity = new IdentityBook(ctx.storage, isOwn);
    this.#presence = new Presence({
      storage: ctx.storage,
      now,
      background: (work) => ctx.waitUntil(work),
      offer: () => this.#switchboard.offer,
      announce: (offer, atMs) => this.#announce(offer, atMs),
      onUnknown: () => ctx.waitUntil(this.forget()),
    });
    this.#switchboard = new Switchboard({
      ctx,
      identity: this.#identity,
      timers,
      now,
      onPresence: (heardAtMs) => this.#presence.review(heardAtMs),
    });
    this.#switchboard.wake();
  }

  override async fetch(request: Request): Promise<Response> {
    const said = (name: keyof typeof CONNECTOR_HEADERS): string => request.headers.get(CONNECTOR_HEADERS[name]) ?? "";
    switch (new URL(request.url).origin) {
      case CONNECTOR_DOORS.dialIn:
        return this.#switchboard.dialIn(request, readHeader(DialIn, said("dialIn")));
      case CONNECTOR_DOORS.ask:
        return await this.#switchboard.ask(readHeader(Target, said("target")), request, said("request"));
      default:
        return new Response(null, { status: 404 });
    }
  }

  async cancel(requestId: string): Promise<void> {
    this.#switchboard.cancel(requestId);
  }

  async forget(): Promise<void> {
    this.#identity.forget();
    this.#switchboard.closeAll(CLOSE.deleted, "this machine was removed from Mosaic");
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    this.#switchboard.message(socket, data);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#switchboard.gone(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#switchboard.gone(socket);
  }

  override async alarm(): Promise<void> {
    await this.#presence.tell();
  }

  async #announce(offer: Offer | null, atMs: number): Promise<boolean> {
    const known = this.#identity.known;
    // Forgotten meanwhile: there is nobody to speak of, and nothing more to do.
    if (!known) return true;
    return await this.#services.connectors.announce(known.connectorId, {
      upstreams: offer?.upstreams ?? null,
      clientVersion: offer?.clientVersion ?? null,
      at: new Date(atMs).toISOString(),
    });
  }
}
