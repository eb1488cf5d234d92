import { Conversation } from "../durable-objects/conversation/object.ts";
import { servicesFor } from "../durable-objects/services-for.ts";
import { type Bindings, conversationObject } from "../durable-objects/stubs.ts";
import { createApp } from "./app.ts";

const app = createApp<Bindings>({ services: servicesFor, conversation: conversationObject });

export default {
  fetch: (request, env) => app.fetch(request, env),
} satisfies ExportedHandler<Bindings>;

export { Conversation };
