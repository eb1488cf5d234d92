import { ApiError } from "../../../../shared/client/api-error.ts";
import { decodeClientFrame, MAX_FRAME_BYTES } from "../../../../shared/contract/frames.ts";
import { MAX_TEXT_LENGTH } from "../../../../shared/contract/message.ts";
import { cleanText } from "../../../../shared/contract/primitives.ts";
import { isCommand } from "./commands.ts";

const MAX_COMMAND_LENGTH = 4000;
const ANY_ID = "00000000-0000-4000-8000-000000000000";

const count = (value: number): string => value.toLocaleString("en-US");
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

/** Of what stands in the composer, a command or a message. @throws ApiError */
export function refuseUnsendable(text: string): void {
  if (isCommand(text) && text.length > MAX_COMMAND_LENGTH) {
    const message = `This command is too long: ${count(text.length)} of at most ${count(MAX_COMMAND_LENGTH)} characters.`;
    throw new ApiError({ code: "too_large", message });
  }
  const message = whyUnsendable(text);
  if (message !== null) throw new ApiError({ code: "too_large", message });
}
