import * as z from "zod";
import { cleanText } from "../../contract/primitives.ts";
import { AppError } from "../../domain/app-error.ts";

const MAX_BODY_BYTES = 64 * 1024;
const MAX_STRING_LENGTH = 16 * 1024;

/**
 * Node's `fetch` sends `Sec-Fetch-Mode` and nothing else that a browser would; better-auth takes that for a browser
 * hiding its origin and refuses. A page's POST always carries one of these.
 */
const BROWSER_HEADERS = ["origin", "referer", "cookie", "sec-fetch-site", "sec-fetch-dest"];

/**
 * The request as better-auth may see it: a body of bounded size without the characters that Postgres cannot store.
 * Sign-up and sign-in are cleaned alike, so a password with such a character keeps working.
 * @throws AppError `too_large`, `invalid_json`, `invalid_request`
 */
export async function cleanRequest(request: Request): Promise<Request> {
  if (/%00/i.test(request.url))
    throw new AppError("invalid_request", "The address contains a NUL character; remove it.");
  if (request.method === "GET" || request.method === "HEAD" || request.body === null) return request;
  const text = await readText(request);
  const type = request.headers.get("content-type")?.toLowerCase() ?? "";
  const body = type.includes("json") && text !== "" ? JSON.stringify(cleanJson(text)) : text.replaceAll(/%00|\0/gi, "");
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  if (!BROWSER_HEADERS.some((name) => headers.has(name))) headers.delete("sec-fetch-mode");
  return new Request(request.url, { method: request.method, headers, body, signal: request.signal });
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new AppError("too_large", "The body is larger than the 64 KiB that sign-in accepts.");
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of z.instanceof(ReadableStream<Uint8Array>).parse(request.body)) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function cleanJson(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => {
      if (typeof value !== "string") return value;
      if (value.length > MAX_STRING_LENGTH) {
        throw new AppError("invalid_request", "A text in the body is longer than 16,384 characters.");
      }
      return cleanText(value);
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("invalid_json", "The body is not valid JSON.");
  }
}
