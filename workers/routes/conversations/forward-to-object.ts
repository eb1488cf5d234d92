import { PublicError } from "../../../shared/contract/errors.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import {
  type ConversationObject,
  OBJECT_HEADERS,
  type OnceKey,
  type UpgradeProof,
} from "../../../shared/ports/conversation-object.ts";
import type { Call } from "../route.ts";

/** All that an object needs of the caller's headers. Credentials and forged proofs stay at the edge. */
const FORWARDED = [
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "user-agent",
];

interface Errand {
  method: "GET" | "POST";
  /** As the object knows it: `/socket`, `/events?after=7`. */
  path: string;
  proof: UpgradeProof;
  body?: unknown;
  once?: OnceKey | null;
}

/** JSON in a header must be ASCII: names hold any character. */
const headerJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

async function refusal(response: Response): Promise<AppError> {
  try {
    return AppError.from(PublicError.parse(await response.json()));
  } catch (cause) {
    return new AppError("internal", "The conversation did not answer; try again.", { cause });
  }
}

/**
 * Hands a stream or an upgrade to the object and its answer back as it comes.
 * @throws AppError with what the object refused for.
 */
export async function forwardToObject(
  object: ConversationObject,
  call: Pick<Call, "request" | "requestId" | "traceparent">,
  errand: Errand,
): Promise<Response> {
  const headers = new Headers({
    [OBJECT_HEADERS.principal]: headerJson(errand.proof),
    [OBJECT_HEADERS.request]: call.requestId,
    ...(errand.once ? { [OBJECT_HEADERS.once]: headerJson(errand.once) } : {}),
    ...(call.traceparent ? { traceparent: call.traceparent } : {}),
    ...(errand.body === undefined ? {} : { "content-type": "application/json" }),
  });
  for (const name of FORWARDED) {
    const value = call.request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const response = await object.fetch(
    new Request(`https://conversation${errand.path}`, {
      method: errand.method,
      headers,
      ...(errand.body === undefined ? {} : { body: JSON.stringify(errand.body) }),
    }),
  );
  const refused = response.headers.has(OBJECT_HEADERS.refused);
  // Nobody reads the stream that a HEAD opened.
  if (!refused && call.request.method === "HEAD") await response.body?.cancel();
  if (!refused && (response.ok || response.status === 101)) return response;
  throw await refusal(response);
}
