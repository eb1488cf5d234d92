import Anthropic from "@anthropic-ai/sdk";
import * as z from "zod";
import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import type { Access, OpenedSecret } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";
import { type ReadAnswer, runStream } from "../run-stream.ts";
import { readAnthropicAnswer } from "./anthropic-answer.ts";
import { toAnthropicRequest } from "./anthropic-request.ts";

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

/** A key by its own header, a login by the usual one; never both. */
function sign({ apiKey, accessToken, headers }: OpenedSecret): Record<string, string> {
  const credentials = accessToken === null ? { "x-api-key": apiKey ?? "" } : { authorization: `Bearer ${accessToken}` };
  return { ...headers, "anthropic-version": VERSION, ...credentials };
}

export function createAnthropicProvider(access: Access): ModelProvider {
  async function models(signal: AbortSignal): Promise<ListedModel[]> {
    const list = await fetchJson({ access, path: "/v1/models?limit=1000", sign, schema: ModelList, signal });
    return list.data.map((entry) => ({ id: entry.id, ...(entry.display_name ? { name: entry.display_name } : {}) }));
  }

  function stream(request: ModelRequest, options: StreamOptions): AsyncIterable<ModelEvent> {
    const { model } = request;
    const read: ReadAnswer = async function* ({ watch, secret, usage }) {
      const client = new Anthropic({
        // Demanded; the headers below say what is sent.
        apiKey: "none",
        authToken: null,
        defaultHeaders: { "x-api-key": null, authorization: null, ...sign(secret) },
        baseURL: access.baseUrl,
        fetch: watch.fetch,
        maxRetries: 0,
        timeout: NEVER_MS,
        // It logs what it cannot parse, and that is the user's content.
        logLevel: "off",
      });
      const answer = await client.messages.create(toAnthropicRequest(request), { signal: watch.signal });
      yield* readAnthropicAnswer(answer, usage, model);
    };
    return runStream({ access, model, options, accepts: ["text/event-stream"] }, read);
  }

  return { kind: "anthropic", models, stream };
}
