import { AppError } from "../../domain/app-error.ts";
import type { Mailer } from "../../ports/mailer.ts";

export const MAIL_NOT_CONFIGURED =
  "This instance cannot send mail. Its operator can set MAIL_API_URL, MAIL_API_KEY and MAIL_FROM to change that.";

/** Stands in where no mail service is configured. `unconfigured` lets a caller say so before it does anything else. */
export function createNoMailer(): Mailer & { readonly unconfigured: true } {
  return {
    unconfigured: true,
    send: async () => {
      throw new AppError("invalid_request", MAIL_NOT_CONFIGURED);
    },
  };
}
