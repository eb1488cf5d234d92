import type * as z from "zod";
import { ProviderError } from "../../ports/model-provider.ts";
import type { Access, OpenedSecret } from "./access.ts";
import { failureOfErrorText } from "./classify-failure.ts";
import { failureOf } from "./errors.ts";
import { hideInText } from "./hide-secrets.ts";
import { watchRequest } from "./watched-fetch.ts";

export interface JsonRequest<Schema extends z.ZodType> {
  access: Access;
  /** Below the API's root. */
  path: string;
  /** How this vendor is signed in to. */
  sign(secret: OpenedSecret): Record<string, string>;
  /** Sent as JSON by POST; without it the call is a GET. */
  body?: unknown;
  schema: Schema;
  signal: AbortSignal;
  model?: string;
}

/** More than any vendor's list of models, and than 64 long vectors. */
const MAX_BYTES = 16 * 1024 * 1024;

async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const reader = body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > MAX_BYTES) throw new Error("The answer is too large.");
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * One small JSON call: model lists and the like.
 * @throws {ProviderError}
 */
export async function fetchJson<Schema extends z.ZodType>(request: JsonRequest<Schema>): Promise<z.infer<Schema>> {
  const { access, model = "", body } = request;
  const vendor = access.vendor();
  const watch = watchRequest({
    vendor,
    model,
    fetch: access.fetchFor(vendor),
    options: { signal: request.signal },
    accepts: ["application/json"],
  });
  try {
    const secret = await watch.within(() => access.open(vendor));
    const response = await watch.fetch(`${access.baseUrl}${request.path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...request.sign(secret),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = hideInText(vendor.secrets, await readText(response.body));
    const told = failureOfErrorText(vendor, text, model);
    if (told) throw new ProviderError(told);
    const parsed = request.schema.parse(JSON.parse(text));
    watch.settle();
    return parsed;
  } catch (thrown) {
    if (thrown instanceof ProviderError) throw thrown;
    throw new ProviderError(watch.failure() ?? failureOf("protocol", vendor));
  } finally {
    watch.close();
  }
}
