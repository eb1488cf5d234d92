import { decodeClientFrame, MAX_FRAME_BYTES } from "../contract/frames.ts";
import { MAX_TEXT_LENGTH } from "../contract/message.ts";
import { cleanText } from "../contract/primitives.ts";
import { ApiError } from "./api-error.ts";

const ANY_ID = "00000000-0000-4000-8000-000000000000";

export const count = (value: number): string => value.toLocaleString("en-US");
const tooLong = (length: number, most: number, unit: string): string =>
  `This message is too long: ${count(length)} of at most ${count(most)} ${unit}. Send it as several.`;

/** Why a message of this text would be refused, as a sentence for whoever wrote it; null where nothing stands against it. */
export function whyUnsendable(text: string): string | null {
  const cleaned = cleanText(text);
  if (cleaned.trim() === "") return "There is nothing to send.";
  if (cleaned.length > MAX_TEXT_LENGTH) return tooLong(cleaned.length, MAX_TEXT_LENGTH, "characters");
  const frame = JSON.stringify({ type: "message:send", id: ANY_ID, text, whenBusy: "queue" });
  const decoded = decodeClientFrame(frame);
  if (decoded.ok) return null;
  if (decoded.error.code === "too_large")
    return tooLong(new TextEncoder().encode(frame).byteLength, MAX_FRAME_BYTES, "bytes");
  return "This message cannot be sent as it is. Write it in other words.";
}

interface Body {
  text?: string | undefined;
  id?: string;
  model?: string | undefined;
  parts?: unknown;
}

/**
 * What the server could only refuse, and would be sent again and again, is told at once and kept nowhere.
 * @throws ApiError
 */
export function refuseUnsendable(body: Body): void {
  const why = body.text === undefined ? null : whyUnsendable(body.text);
  if (why !== null) throw new ApiError({ code: "too_large", message: why });
  const decoded = decodeClientFrame(JSON.stringify({ type: "message:send", id: ANY_ID, ...body }));
  if (!decoded.ok) throw new ApiError(decoded.error);
}
