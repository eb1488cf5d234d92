import * as z from "zod";
import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import type { Vendor } from "../errors.ts";
import { fetchJson } from "../fetch-json.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import type { Fetch } from "../watched-fetch.ts";
import { readResponsesAnswer } from "./openai-answer.ts";
import { openAiClient } from "./openai-client.ts";
import { toResponsesRequest } from "./openai-request.ts";

const OPENAI_BASE_URL = "https://api.openai.com/v1";

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });
/** The list names no capabilities; these product names cannot hold a conversation. */
const NO_CHAT = /embedding|whisper|tts|dall-e|image|moderation|audio|realtime|transcribe|sora|babbage|davinci/;

export interface OpenAiSettings {
  apiKey: string;
  /** With its `/v1`. */
  baseUrl?: string | undefined;
  fetch: Fetch;
}

export function createOpenAiProvider(settings: OpenAiSettings): ModelProvider {
  const { apiKey, fetch } = settings;
  const baseUrl = (settings.baseUrl ?? OPENAI_BASE_URL).replace(/\/+$/, "");
  const vendor: Vendor = {
    name: "OpenAI",
    baseUrl,
    baseUrlSetting: "OPENAI_BASE_URL",
    keySetting: "OPENAI_API_KEY",
    secret: apiKey,
  };

  async function models(signal: AbortSignal): Promise<ListedModel[]> {
    const headers = { authorization: `Bearer ${apiKey}` };
    const list = await fetchJson({ vendor, fetch, url: `${baseUrl}/models`, headers, schema: ModelList, signal });
    return list.data.filter(({ id }) => !NO_CHAT.test(id)).map(({ id }) => ({ id }));
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* (watch, usage) {
      const client = openAiClient({ apiKey, baseUrl, fetch: watch.fetch });
      const answer = await client.responses.create(toResponsesRequest(request), { signal: watch.signal });
      yield* readResponsesAnswer(answer, { vendor, usage, model });
    };
    return runStream({ vendor, fetch, model, options, accepts: ["text/event-stream"] }, read);
  }

  return { kind: "openai", models, stream };
}
