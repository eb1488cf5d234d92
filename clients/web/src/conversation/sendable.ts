import { ApiError } from "../../../../shared/client/api-error.ts";
import { count, refuseUnsendable as refuseMessage } from "../../../../shared/client/sendable.ts";
import { isCommand } from "./commands.ts";

const MAX_COMMAND_LENGTH = 4000;

/** Of what stands in the composer, a command or a message. @throws ApiError */
export function refuseUnsendable(text: string): void {
  if (isCommand(text) && text.length > MAX_COMMAND_LENGTH) {
    const message = `This command is too long: ${count(text.length)} of at most ${count(MAX_COMMAND_LENGTH)} characters.`;
    throw new ApiError({ code: "too_large", message });
  }
  refuseMessage({ text });
}
