import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import { type Access, bearerHeaders, type OpenedSecret } from "../access.ts";
import { openAiClient } from "../openai/openai-client.ts";
import { embedOverOpenAi } from "../openai/openai-embeddings.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import { readChatAnswer } from "./chat-answer.ts";
import { listChatModels, provesChatKey } from "./chat-models.ts";
import { toChatRequest } from "./chat-request.ts";
import type { ChatVendor } from "./chat-vendor.ts";

/** Any vendor with OpenAI's chat completions, by its record. `publicUrl`: where this Mosaic is found. */
export function createChatCompletionsProvider(record: ChatVendor, access: Access, publicUrl?: string): ModelProvider {
  const sign = (secret: OpenedSecret): Record<string, string> => ({
    ...record.headers,
    ...(record.refererHeader && publicUrl ? { [record.refererHeader]: publicUrl } : {}),
    ...bearerHeaders(secret),
  });

  function models(signal: AbortSignal): Promise<ListedModel[]> {
    return listChatModels(record, { access, sign, signal });
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* ({ watch, vendor, secret, usage }) {
      const client = openAiClient({ baseUrl: access.baseUrl, fetch: watch.fetch, headers: sign(secret) });
      const answer = await client.chat.completions.create(toChatRequest(request, record), { signal: watch.signal });
      yield* readChatAnswer(answer, { record, vendor, usage, model });
    };
    return runStream({ access, model, options, accepts: ["text/event-stream"] }, read);
  }

  const { kind, keyCheck } = record;
  const provesKey = keyCheck && ((signal: AbortSignal) => provesChatKey(keyCheck, { access, sign, signal }));
  return { kind, models, stream, embed: embedOverOpenAi(access, sign), ...(provesKey ? { provesKey } : {}) };
}
