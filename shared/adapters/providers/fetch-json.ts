import type * as z from "zod";
import { ProviderError } from "../../ports/model-provider.ts";
import { failureOf, failureOfErrorText, type Vendor } from "./errors.ts";
import { type Fetch, watchRequest } from "./watched-fetch.ts";

export interface JsonRequest<Schema extends z.ZodType> {
  vendor: Vendor;
  fetch: Fetch;
  url: string;
  headers?: Record<string, string>;
  /** Sent as JSON by POST; without it the call is a GET. */
  body?: unknown;
  schema: Schema;
  signal: AbortSignal;
  model?: string;
}

/**
 * One small JSON call: model lists and the like.
 * @throws {ProviderError}
 */
export async function fetchJson<Schema extends z.ZodType>(request: JsonRequest<Schema>): Promise<z.infer<Schema>> {
  const { vendor, model = "" } = request;
  const watch = watchRequest({
    vendor,
    model,
    fetch: request.fetch,
    options: { signal: request.signal },
    accepts: ["application/json"],
  });
  try {
    const response = await watch.fetch(request.url, {
      method: request.body === undefined ? "GET" : "POST",
      headers: {
        accept: "application/json",
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const text = await response.text();
    const told = failureOfErrorText(vendor, text, model);
    if (told) throw new ProviderError(told);
    return request.schema.parse(JSON.parse(text));
  } catch (thrown) {
    if (thrown instanceof ProviderError) throw thrown;
    throw new ProviderError(watch.failure() ?? failureOf("protocol", vendor));
  } finally {
    watch.close();
  }
}
