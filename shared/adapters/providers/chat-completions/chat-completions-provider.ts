import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import type { Vendor } from "../errors.ts";
import { openAiClient } from "../openai/openai-client.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import type { Fetch } from "../watched-fetch.ts";
import { readChatAnswer } from "./chat-answer.ts";
import { listChatModels } from "./chat-models.ts";
import { toChatRequest } from "./chat-request.ts";
import type { ChatVendor } from "./chat-vendor.ts";

export interface ChatCompletionsSettings {
  apiKey: string;
  baseUrl?: string | undefined;
  fetch: Fetch;
  /** Where this Mosaic is found. */
  publicUrl?: string | undefined;
}

/** Any vendor with OpenAI's chat completions, by its record. */
export function createChatCompletionsProvider(record: ChatVendor, settings: ChatCompletionsSettings): ModelProvider {
  const { apiKey, fetch } = settings;
  const baseUrl = (settings.baseUrl ?? record.baseUrl).replace(/\/+$/, "");
  const { name, baseUrlSetting, keySetting } = record;
  const vendor: Vendor = { name, baseUrl, baseUrlSetting, keySetting, secret: apiKey };
  const headers: Record<string, string> = {
    ...record.headers,
    ...(record.refererHeader && settings.publicUrl ? { [record.refererHeader]: settings.publicUrl } : {}),
  };

  function models(signal: AbortSignal): Promise<ListedModel[]> {
    const authorized = { ...headers, authorization: `Bearer ${apiKey}` };
    return listChatModels(record, { vendor, fetch, headers: authorized, signal });
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* (watch, usage) {
      const client = openAiClient({ apiKey, baseUrl, fetch: watch.fetch, headers });
      const answer = await client.chat.completions.create(toChatRequest(request, record), { signal: watch.signal });
      yield* readChatAnswer(answer, { record, vendor, usage, model });
    };
    return runStream({ vendor, fetch, model, options, accepts: ["text/event-stream"] }, read);
  }

  return { kind: record.kind, models, stream };
}
