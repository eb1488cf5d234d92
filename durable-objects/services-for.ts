import { waitUntil } from "cloudflare:workers";
import { createServices, type Services } from "../shared/runtime/services.ts";
import { type Bindings, conversationObject } from "./stubs.ts";

/** The services of this isolate, with the platform's verbs they need: the same ones for the Worker and its objects. */
export const servicesFor = (env: Bindings): Services =>
  createServices(env, {
    background: waitUntil,
    revoke: (conversationId, what) => conversationObject(env, conversationId).revoke(what),
    ...(env.MAILBOX ? { mailbox: env.MAILBOX } : {}),
  });
