import { cleanText } from "../../contract/primitives.ts";

/** NUL, and half of a character: a model or a cut stream may send them, Postgres and JSON cannot hold them. */
const UNSTORABLE = /\\u(0000|d[89a-f])/i;

function clean(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]));
}

/** The same value in a form that every store can hold; usually the value itself. For plain data only. */
export function storable<Value>(value: Value): Value {
  return UNSTORABLE.test(JSON.stringify(value)) ? (clean(value) as Value) : value;
}
