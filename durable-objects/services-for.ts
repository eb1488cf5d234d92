import { waitUntil } from "cloudflare:workers";
import { createServices, type Services } from "../shared/runtime/services.ts";
import {
  type Bindings,
  connectorObject,
  conversationObject,
  providerHealthObject,
  providerLoginObject,
} from "./stubs.ts";

/** The services of this isolate, with the platform's verbs they need: the same ones for the Worker and its objects. */
export const servicesFor = (env: Bindings): Services =>
  createServices(env, {
    background: waitUntil,
    connector: (id) => connectorObject(env, id),
    revoke: (conversationId, what) => conversationObject(env, conversationId).revoke(what),
    providerLogin: (credentialId) => providerLoginObject(env, credentialId),
    providerHealth: (providerId) => providerHealthObject(env, providerId),
    ...(env.MAILBOX ? { mailbox: env.MAILBOX } : {}),
    ...(env.PUBLIC_NETWORK ? { publicNetwork: env.PUBLIC_NETWORK } : {}),
    ...(env.PRIVATE_NETWORK ? { privateNetwork: env.PRIVATE_NETWORK } : {}),
  });
