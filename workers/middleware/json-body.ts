import { cleanText } from "../../shared/contract/primitives.ts";
import { AppError } from "../../shared/domain/app-error.ts";

/** Deeper input is no honest request, and would overflow the stack of whatever walks it. */
const MAX_DEPTH = 64;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The same value with every string and key fit for Postgres. */
function cleanJson(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) throw new AppError("invalid_request", `The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), cleanJson(item, depth + 1)]));
}

/**
 * Reads a JSON body. An absent body is undefined; what a route makes of that is its own affair.
 * @throws AppError `unsupported_media_type`, `invalid_json`, `invalid_request` (nested too deep).
 */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type");
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength === 0 && (type === null || JSON_TYPE.test(type))) return undefined;
  if (type === null || !JSON_TYPE.test(type)) {
    throw new AppError("unsupported_media_type", "Send the body as JSON with `content-type: application/json`.");
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (cause) {
    throw new AppError("invalid_json", "The body is not valid JSON in UTF-8.", { cause });
  }
  return cleanJson(value, 0);
}
