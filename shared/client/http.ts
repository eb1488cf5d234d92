import type * as z from "zod";
import { ApiError, errorFromResponse, networkError } from "./api-error.ts";

interface FetchResponse {
  ok: boolean;
  status: number;
  text(): Promise<string>;
}

interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  credentials?: "include";
  signal?: AbortSignal;
}

/** The part of the platform's `fetch` that is used here. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

export interface HttpOptions {
  /** Where Mosaic is, `http://localhost:8787`; empty in a page that it served itself. */
  baseUrl: string;
  /** A session token or API key, sent as Bearer; without it the browser's session cookie is used. */
  token?: string | undefined;
  fetch?: Fetch | undefined;
}

interface Call {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** One HTTP call; the body as text. Throws ApiError and nothing else, except an abort by the caller's own signal. */
export type RequestText = (method: string, path: string, call?: Call) => Promise<string>;

function queryString(query: Call["query"]): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

export function createRequest(options: HttpOptions): RequestText {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const send: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  return async (method, path, call = {}) => {
    const headers: Record<string, string> = { accept: "application/json", ...call.headers };
    if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
    if (call.body !== undefined) headers["content-type"] = "application/json";
    const init: FetchInit = { method, headers };
    if (call.body !== undefined) init.body = JSON.stringify(call.body);
    if (options.token === undefined) init.credentials = "include";
    if (call.signal) init.signal = call.signal;
    let response: FetchResponse;
    let text: string;
    try {
      response = await send(`${baseUrl}${path}${queryString(call.query)}`, init);
      text = await response.text();
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw networkError(baseUrl === "" ? "this address" : baseUrl);
    }
    if (!response.ok) throw errorFromResponse(response.status, text);
    return text;
  };
}

/** Reads a JSON answer with its schema; an answer of another shape is `unexpected`. */
export function parseJson<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError({ code: "unexpected", message: "The server's answer is not JSON; is this address Mosaic's?" });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.map(String).join(".") ?? "";
  throw new ApiError({
    code: "unexpected",
    message: `The server's answer does not have the expected shape${at === "" ? "" : ` (at ${at})`}; are client and server of the same version?`,
  });
}
