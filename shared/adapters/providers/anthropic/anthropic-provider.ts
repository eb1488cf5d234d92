import Anthropic from "@anthropic-ai/sdk";
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
import { readAnthropicAnswer } from "./anthropic-answer.ts";
import { toAnthropicRequest } from "./anthropic-request.ts";

const ANTHROPIC_BASE_URL = "https://api.anthropic.com";
/**
 * Pinned for both calls. Left alone, the SDK from 1.0 on asks for 2026-10-21, where any temperature is an error, and sends
 * the key as a bearer token, which proxies that read `x-api-key` do not find.
 */
const VERSION = "2023-06-01";
/** Our own watch ends a request; the SDK's clock must never be the first. */
const NEVER_MS = 2_000_000_000;

const ModelList = z.object({
  data: z.array(z.object({ id: z.string(), display_name: z.string().optional().catch(undefined) })),
});

export interface AnthropicSettings {
  apiKey: string;
  /** Without `/v1`; a trailing one is dropped. */
  baseUrl?: string | undefined;
  fetch: Fetch;
}

export function createAnthropicProvider(settings: AnthropicSettings): ModelProvider {
  const { apiKey, fetch } = settings;
  const baseUrl = (settings.baseUrl ?? ANTHROPIC_BASE_URL).replace(/\/+(v1\/*)?$/, "");
  const vendor: Vendor = {
    name: "Anthropic",
    baseUrl,
    baseUrlSetting: "ANTHROPIC_BASE_URL",
    keySetting: "ANTHROPIC_API_KEY",
    secret: apiKey,
  };

  const credentials = { "x-api-key": apiKey, "anthropic-version": VERSION };

  async function models(signal: AbortSignal): Promise<ListedModel[]> {
    const url = `${baseUrl}/v1/models?limit=1000`;
    const list = await fetchJson({ vendor, fetch, url, headers: credentials, schema: ModelList, signal });
    return list.data.map((entry) => ({ id: entry.id, ...(entry.display_name ? { name: entry.display_name } : {}) }));
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const read: ReadAnswer = async function* (watch, usage) {
      const client = new Anthropic({
        apiKey,
        authToken: null,
        defaultHeaders: { ...credentials, authorization: null },
        baseURL: baseUrl,
        fetch: watch.fetch,
        maxRetries: 0,
        timeout: NEVER_MS,
        // It logs what it cannot parse, and that is the user's content.
        logLevel: "off",
      });
      const answer = await client.messages.create(toAnthropicRequest(request), { signal: watch.signal });
      yield* readAnthropicAnswer(answer, usage, request.model);
    };
    return runStream({ vendor, fetch, model: request.model, options, accepts: ["text/event-stream"] }, read);
  }

  return { kind: "anthropic", models, stream };
}
