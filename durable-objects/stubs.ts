import { proxyDurable } from "itty-durable/proxy-durable.js";
import type { ConversationObject } from "../shared/ports/conversation-object.ts";
import type { ProviderHealthObject } from "../shared/ports/provider-directory.ts";

/** The bindings of the Worker that are not settings. */
export interface Bindings {
  CONVERSATION: DurableObjectNamespace;
  PROVIDER_HEALTH: DurableObjectNamespace;
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

/** The breaker of a provider instance, named by its id. */
export function providerHealthObject(env: Pick<Bindings, "PROVIDER_HEALTH">, providerId: string): ProviderHealthObject {
  const stub = proxyDurable(env.PROVIDER_HEALTH, { name: "PROVIDER_HEALTH", parse: true }).get(providerId);
  return {
    // Arguments travel in a header, which takes ASCII alone. Never the stub itself: awaiting it never ends.
    learn: (known, ofVersion, news) => stub.learn(encodeURIComponent(JSON.stringify({ known, ofVersion, news }))),
  };
}
