import type { ModelEvent, ModelProvider, ModelRequest, StreamOptions } from "../../../ports/model-provider.ts";
import { abortAfter } from "../../abort-after.ts";
import { type Access, bearerHeaders } from "../access.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import { readOllamaAnswer } from "./ollama-answer.ts";
import { ollamaEmbed } from "./ollama-embed.ts";
import { ollamaModels } from "./ollama-models.ts";
import { ollamaPull } from "./ollama-pull.ts";
import { toOllamaRequest } from "./ollama-request.ts";

/** Facts are asked for once per model; a slow answer must not hold the first token up. */
const FACTS_TIMEOUT_MS = 2_000;
const NDJSON = "application/x-ndjson";

export function createOllamaProvider(access: Access): ModelProvider {
  const models = ollamaModels(access);
  const { baseUrl } = access;

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* ({ watch, vendor, secret, usage }) {
      const factsMs = Math.min(FACTS_TIMEOUT_MS, options.headersTimeoutMs ?? FACTS_TIMEOUT_MS);
      const facts = await abortAfter(factsMs, (signal) => models.facts(model, AbortSignal.any([watch.signal, signal])));
      const response = await watch.fetch(`${baseUrl}/api/chat`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: NDJSON, ...bearerHeaders(secret) },
        body: JSON.stringify(toOllamaRequest(request, facts)),
      });
      if (response.body) yield* readOllamaAnswer(response.body, { vendor, usage, model });
    };
    return runStream({ access, model, options, accepts: [NDJSON, "application/json"] }, read);
  }

  return { kind: "ollama", models: models.list, stream, embed: ollamaEmbed(access), pull: ollamaPull(access) };
}
