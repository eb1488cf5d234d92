import type { ConnectorObject } from "../../shared/ports/connector-gateway.ts";
import type { ConversationObject } from "../../shared/ports/conversation-object.ts";
import type { Services } from "../../shared/runtime/services.ts";
import type { Rooms } from "../edge.ts";

/** How the Worker's entry reaches the house; `Env` is the platform's. */
export interface Entry<Env extends object> {
  services(env: Env): Services;
  conversation(env: Env, id: string): ConversationObject;
  connector(env: Env, id: string): ConnectorObject;
}

/** Makes the services once per isolate, at the first request that needs them; a failure is not kept. */
export function openRooms<Env extends object>(entry: Entry<Env>): (env: Env) => Rooms {
  const made = new WeakMap<Env, Services>();
  return (env) => ({
    services: () => {
      const services = made.get(env) ?? entry.services(env);
      made.set(env, services);
      return services;
    },
    conversation: (id) => entry.conversation(env, id),
    connector: (id) => entry.connector(env, id),
  });
}
