import * as z from "zod";
import { Me } from "../../../shared/contract/account.ts";
import { Connector } from "../../../shared/contract/connector.ts";
import { type Conversation, ConversationExport } from "../../../shared/contract/conversation.ts";
import { Timestamp } from "../../../shared/contract/primitives.ts";
import { Provider } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { textStream } from "../../../shared/runtime/text-stream.ts";
import { toConnector } from "../connectors/connector-view.ts";
import { exportFile } from "../conversations/export-file.ts";
import { fromStore, toProvider } from "../providers/provider-view.ts";
import { defineRoute, type SignedInCall } from "../route.ts";
import { ownConversations } from "./own-conversations.ts";

const AccountExport = z.object({
  format: z.literal("mosaic.account.v1"),
  exportedAt: Timestamp,
  user: Me.shape.user,
  /** Instances that the account made; never a secret. */
  providers: z.array(Provider.omit({ health: true })),
  connectors: z.array(Connector.omit({ state: true })),
  conversations: z.array(ConversationExport),
});

/** What the account made and may be read of it: no secret, and nothing of the moment. */
async function machinery({ services, scope }: SignedInCall) {
  const [providers, connectors] = await Promise.all([
    services.providerStore.list(scope),
    services.connectors.list(scope),
  ]);
  return {
    providers: providers
      .filter(({ record }) => record.ownerUserId === scope.userId)
      .map((stored) => AccountExport.shape.providers.element.parse(toProvider(fromStore(stored), "unknown"))),
    connectors: connectors.map((stored) => AccountExport.shape.connectors.element.parse(toConnector(stored))),
  };
}

/** The export, one conversation at a time and each as a stream: an account may hold more than fits into memory. */
async function* pieces(
  call: SignedInCall,
  made: Awaited<ReturnType<typeof machinery>>,
  first: Conversation[],
  rest: AsyncGenerator<Conversation[]>,
) {
  const { signedIn, principal, services } = call;
  const head = {
    format: "mosaic.account.v1",
    exportedAt: services.now().toISOString(),
    user: { ...signedIn.user, isInstanceAdmin: principal.isInstanceAdmin },
    ...made,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"conversations":[`;
  let separator = "";
  async function* all() {
    yield first;
    yield* rest;
  }
  for await (const page of all()) {
    for (const { id } of page) {
      const file = await fileOf(call, id);
      if (!file) continue;
      yield separator;
      yield* file;
      separator = ",";
    }
  }
  yield "]}";
}

/** @returns null for one that was deleted since it was listed */
async function fileOf(call: SignedInCall, id: string): Promise<ReadableStream<Uint8Array> | null> {
  try {
    return (await exportFile(call.rooms.conversation(id), call, "json")).body;
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return null;
    throw error;
  }
}

export const exportMe = defineRoute({
  method: "get",
  path: "/api/me/export",
  operationId: "exportMe",
  summary: "Everything the account holds, as one JSON document",
  tag: "me",
  withoutDatabase:
    "What an account holds is in the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 200, description: "The account and all its own conversations.", body: AccountExport },
  handle: async (call) => {
    const pages = ownConversations(call.services, call.principal.userId);
    // Read before the answer begins, so that an unreachable database is still an error and no torn file.
    const [made, { value: first }] = await Promise.all([machinery(call), pages.next()]);
    return new Response(textStream(pieces(call, made, first ?? [], pages)), {
      headers: {
        "content-type": "application/json",
        "content-disposition": 'attachment; filename="mosaic-account.json"',
      },
    });
  },
});
