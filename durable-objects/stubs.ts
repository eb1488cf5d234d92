import { proxyDurable } from "itty-durable/proxy-durable.js";
import type { ConnectorObject } from "../shared/ports/connector-gateway.ts";
import type { ConversationObject } from "../shared/ports/conversation-object.ts";
import type { ProviderHealthObject } from "../shared/ports/provider-directory.ts";
import type { ProviderLoginObject } from "../shared/ports/provider-logins.ts";

/** The bindings of the Worker that are not settings. */
export interface Bindings {
  CONVERSATION: DurableObjectNamespace;
  PROVIDER_HEALTH: DurableObjectNamespace;
  CONNECTOR: DurableObjectNamespace;
  PROVIDER_LOGIN: DurableObjectNamespace;
  ASSETS: Fetcher;
  /** The self-hosted stack's letter box: POST a `Mail` as JSON. Absent on Cloudflare. */
  MAILBOX?: Fetcher;
  /** The self-hosted stack's ways out, which look at addresses and not at names. Absent on Cloudflare. */
  PUBLIC_NETWORK?: Fetcher;
  /** Only where an instance admin may save private addresses. */
  PRIVATE_NETWORK?: Fetcher;
}

/** The only place that turns env into typed stubs. A conversation's object is named by its id. */
export function conversationObject(env: Pick<Bindings, "CONVERSATION">, conversationId: string): ConversationObject {
  const stub = env.CONVERSATION.get(env.CONVERSATION.idFromName(conversationId));
  return stub as unknown as ConversationObject;
}

/** The object that a machine dials into, named by its connector's id. */
export function connectorObject(env: Pick<Bindings, "CONNECTOR">, connectorId: string): ConnectorObject {
  const stub = env.CONNECTOR.get(env.CONNECTOR.idFromName(connectorId));
  return stub as unknown as ConnectorObject;
}

/** The breaker of a provider instance, named by its id. */
export function providerHealthObject(env: Pick<Bindings, "PROVIDER_HEALTH">, providerId: string): ProviderHealthObject {
  const stub = proxyDurable(env.PROVIDER_HEALTH, { name: "PROVIDER_HEALTH", parse: true }).get(providerId);
  return {
    // Arguments travel in a header, which takes ASCII alone. Never the stub itself: awaiting it never ends.
    learn: (known, ofVersion, news) => stub.learn(encodeURIComponent(JSON.stringify({ known, ofVersion, news }))),
    forget: async () => void (await stub.forget()),
  };
}

/** The tokens of one login at a vendor, named by its credential's id. */
export function providerLoginObject(env: Pick<Bindings, "PROVIDER_LOGIN">, credentialId: string): ProviderLoginObject {
  const stub = env.PROVIDER_LOGIN.get(env.PROVIDER_LOGIN.idFromName(credentialId));
  return stub as unknown as ProviderLoginObject;
}
