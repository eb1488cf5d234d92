import type { ModelEvent, ModelProvider, ModelRequest, StreamOptions } from "../../../ports/model-provider.ts";
import { abortAfter } from "../../abort-after.ts";
import type { Vendor } from "../errors.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import type { Fetch } from "../watched-fetch.ts";
import { readOllamaAnswer } from "./ollama-answer.ts";
import { ollamaModels } from "./ollama-models.ts";
import { toOllamaRequest } from "./ollama-request.ts";

/** Facts are asked for once per model; a slow answer must not hold the first token up. */
const FACTS_TIMEOUT_MS = 2_000;

export interface OllamaSettings {
  /** Without `/api` or `/v1`; a trailing `/v1` is dropped, because that door cuts the context. */
  baseUrl: string;
  fetch: Fetch;
}

export function createOllamaProvider(settings: OllamaSettings): ModelProvider {
  const { fetch } = settings;
  const baseUrl = settings.baseUrl.replace(/\/+((v1|api)\/*)?$/, "");
  const vendor: Vendor = { name: "Ollama", baseUrl, baseUrlSetting: "OLLAMA_BASE_URL", keySetting: null };
  const models = ollamaModels(vendor, fetch);

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* (watch, usage) {
      const factsMs = Math.min(FACTS_TIMEOUT_MS, options.headersTimeoutMs ?? FACTS_TIMEOUT_MS);
      const facts = await abortAfter(factsMs, (signal) => models.facts(model, AbortSignal.any([watch.signal, signal])));
      const response = await watch.fetch(`${baseUrl}/api/chat`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/x-ndjson" },
        body: JSON.stringify(toOllamaRequest(request, facts)),
      });
      if (response.body) yield* readOllamaAnswer(response.body, { vendor, usage, model });
    };
    const accepts = ["application/x-ndjson", "application/json"];
    return runStream({ vendor, fetch, model, options, accepts }, read);
  }

  return { kind: "ollama", models: models.list, stream };
}
