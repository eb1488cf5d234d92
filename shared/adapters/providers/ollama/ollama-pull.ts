/** `POST /api/pull`: Ollama fetches a model and tells line by line how far it is. */
import * as z from "zod";
import { type ModelProvider, ProviderError, type PullProgress } from "../../../ports/model-provider.ts";
import { type Access, bearerHeaders } from "../access.ts";
import { failureOfErrorBody, failureOfThrown } from "../classify-failure.ts";
import { failureOf, type Vendor } from "../errors.ts";
import { hideInText } from "../hide-secrets.ts";
import { watchRequest } from "../watched-fetch.ts";
import { linesOf } from "./json-lines.ts";

const bytes = z.int().nonnegative().optional().catch(undefined);
const Line = z.object({
  status: z.string().optional().catch(undefined),
  total: bytes,
  completed: bytes,
  error: z.unknown().optional(),
});

/** Between two layers it unpacks and checks without a word. */
const IDLE_TIMEOUT_MS = 300_000;
const ACCEPTS = ["application/x-ndjson", "application/json"];

async function* readProgress(
  body: ReadableStream<Uint8Array>,
  vendor: Vendor,
  model: string,
): AsyncGenerator<PullProgress, void, undefined> {
  for await (const text of linesOf(body)) {
    const line = Line.parse(JSON.parse(text));
    if (line.error)
      throw new ProviderError(failureOfErrorBody(vendor, line.error, model) ?? failureOf("server_error", vendor));
    const status = hideInText(vendor.secrets, line.status ?? "");
    yield { status, completedBytes: line.completed ?? null, totalBytes: line.total ?? null };
    if (status === "success") return;
  }
  throw new ProviderError(failureOf("stream_cut", vendor));
}

export const ollamaPull = (access: Access): NonNullable<ModelProvider["pull"]> =>
  async function* (model, signal) {
    const vendor = access.vendor();
    const options = { signal, idleTimeoutMs: IDLE_TIMEOUT_MS };
    const watch = watchRequest({ vendor, model, fetch: access.fetchFor(vendor), options, accepts: ACCEPTS });
    try {
      const secret = await watch.within(() => access.open(vendor));
      const response = await watch.fetch(`${access.baseUrl}/api/pull`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearerHeaders(secret) },
        body: JSON.stringify({ model, stream: true }),
      });
      if (response.body) yield* readProgress(response.body, vendor, model);
    } catch (thrown) {
      throw new ProviderError(watch.failure() ?? failureOfThrown(vendor, thrown, model));
    } finally {
      watch.close();
    }
  };
