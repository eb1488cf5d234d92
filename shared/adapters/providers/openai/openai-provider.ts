import * as z from "zod";
import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import { type Access, bearerHeaders } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import { readResponsesAnswer } from "./openai-answer.ts";
import { openAiClient } from "./openai-client.ts";
import { embedOverOpenAi } from "./openai-embeddings.ts";
import { toResponsesRequest } from "./openai-request.ts";

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });
/** The list names no capabilities; these product names cannot hold a conversation. */
const NO_CHAT = /embedding|whisper|tts|dall-e|image|moderation|audio|realtime|transcribe|sora|babbage|davinci/;

export function createOpenAiProvider(access: Access): ModelProvider {
  async function models(signal: AbortSignal): Promise<ListedModel[]> {
    const list = await fetchJson({ access, path: "/models", sign: bearerHeaders, schema: ModelList, signal });
    return list.data.filter(({ id }) => !NO_CHAT.test(id)).map(({ id }) => ({ id }));
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* ({ watch, vendor, secret, usage }) {
      const client = openAiClient({ baseUrl: access.baseUrl, fetch: watch.fetch, headers: bearerHeaders(secret) });
      const answer = await client.responses.create(toResponsesRequest(request), { signal: watch.signal });
      yield* readResponsesAnswer(answer, { vendor, usage, model });
    };
    return runStream({ access, model, options, accepts: ["text/event-stream"] }, read);
  }

  return { kind: "openai", models, stream, embed: embedOverOpenAi(access, bearerHeaders) };
}
