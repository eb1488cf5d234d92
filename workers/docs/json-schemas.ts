import * as z from "zod";
import { Me, Workspace, WorkspaceSettings } from "../../shared/contract/account.ts";
import { Connector } from "../../shared/contract/connector.ts";
import {
  Conversation,
  ConversationContext,
  ConversationExport,
  SendAccepted,
} from "../../shared/contract/conversation.ts";
import { Problem } from "../../shared/contract/errors.ts";
import { LoggedEvent } from "../../shared/contract/events.ts";
import { Message, Part, UserPart } from "../../shared/contract/message.ts";
import { Health, Model, ProviderHealth } from "../../shared/contract/model.ts";
import { Provider, ProviderLogin, ProviderTest } from "../../shared/contract/provider.ts";
import { Receipt } from "../../shared/contract/receipt.ts";

export type JsonSchema = Record<string, unknown>;

const COMPONENTS = {
  Connector,
  Conversation,
  ConversationContext,
  ConversationExport,
  Health,
  LoggedEvent,
  Me,
  Message,
  Model,
  Part,
  Problem,
  Provider,
  ProviderHealth,
  ProviderLogin,
  ProviderTest,
  Receipt,
  SendAccepted,
  UserPart,
  Workspace,
  WorkspaceSettings,
};

const names = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(COMPONENTS)) names.add(schema, { id });

const Generated = z.looseObject({ $schema: z.unknown(), $defs: z.record(z.string(), z.unknown()).default({}) });

/** Collects JSON Schemas for one document; what has a name stands once under `components` and is referred to. */
export class JsonSchemas {
  readonly components: Record<string, unknown> = {};

  /**
   * @param owner unique in the document; names what zod itself had to name, such as recursive types.
   */
  of(schema: z.ZodType, owner: string): JsonSchema {
    // The input side: what is transformed (ids, cleaned text) has no other description in JSON Schema.
    const generated = z.toJSONSchema(schema, { io: "input", metadata: names, unrepresentable: "any" });
    const text = JSON.stringify(generated)
      .replaceAll("#/$defs/__schema", `#/components/schemas/${owner}`)
      .replaceAll("#/$defs/", "#/components/schemas/");
    const { $schema: _dialect, $defs, ...inline } = Generated.parse(JSON.parse(text));
    for (const [name, definition] of Object.entries($defs)) {
      this.components[name.replace("__schema", owner)] = definition;
    }
    if (typeof inline.id !== "string" || !(inline.id in COMPONENTS)) return inline;
    const { id, ...component } = inline;
    this.components[id] = component;
    return { $ref: `#/components/schemas/${id}` };
  }
}
