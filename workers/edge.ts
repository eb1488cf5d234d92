import type { Context } from "hono";
import type { ConnectorObject } from "../shared/ports/connector-gateway.ts";
import type { ConversationObject } from "../shared/ports/conversation-object.ts";
import type { Services } from "../shared/runtime/services.ts";

/** What one request may reach. Handed to Hono in the place of the platform's env, so that no route sees a binding. */
export interface Rooms {
  /** @throws Error naming the wrong variables when the Worker is not configured. */
  services(): Services;
  conversation(id: string): ConversationObject;
  connector(id: string): ConnectorObject;
}

export interface Edge {
  Bindings: Rooms;
  Variables: {
    requestId: string;
    /** The trace this request belongs to, as a `traceparent` with our own span; undefined where the caller sent none. */
    traceparent: string | undefined;
  };
}

export type EdgeContext = Context<Edge>;
