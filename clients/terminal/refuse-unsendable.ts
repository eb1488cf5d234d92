import { randomUUID } from "node:crypto";
import { ApiError } from "../../shared/client/api-error.ts";
import { decodeClientFrame } from "../../shared/contract/frames.ts";
import { MAX_TEXT_LENGTH } from "../../shared/contract/message.ts";

const count = (characters: number): string => characters.toLocaleString("en");

/** What no server would take is told before anything is made for it. @throws ApiError */
export function refuseUnsendable(text: string, model: string | undefined): void {
  if (text.length > MAX_TEXT_LENGTH) {
    const message = `The text has ${count(text.length)} characters; a message holds at most ${count(MAX_TEXT_LENGTH)}. Send a part of it.`;
    throw new ApiError({ code: "too_large", message });
  }
  const frame = { type: "message:send", id: randomUUID(), text, ...(model === undefined ? {} : { model }) };
  const decoded = decodeClientFrame(JSON.stringify(frame));
  if (!decoded.ok) throw new ApiError(decoded.error);
}
