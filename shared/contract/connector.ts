import * as z from "zod";
import { Id, label, Timestamp } from "./primitives.ts";
import { UpstreamName } from "./provider.ts";

/** Something a machine offers: a model server. Names are the machine's own; only they can be reached. */
export const Upstream = z.strictObject({ name: UpstreamName, kind: z.enum(["ollama", "openai-compatible"]) });
export type Upstream = z.infer<typeof Upstream>;

export const ConnectorName = label(60);
export const CreateConnector = z.strictObject({ name: ConnectorName });

export const Connector = z.object({
  id: Id,
  name: z.string(),
  state: z.enum(["online", "offline"]),
  /** When it was last seen online. */
  lastSeenAt: Timestamp.nullable(),
  upstreams: z.array(Upstream),
  /** Of the program that dialled in last. */
  clientVersion: z.string().nullable(),
  createdAt: Timestamp,
});
export type Connector = z.infer<typeof Connector>;

/** A connector that was just made. The token is shown once, works once and not for long. */
export const CreatedConnector = Connector.extend({ token: z.string(), expiresAt: Timestamp });
export type CreatedConnector = z.infer<typeof CreatedConnector>;
