import type { Mailer } from "../../ports/mailer.ts";
import { type Fetch, postMail } from "./post-mail.ts";

/**
 * Drops mail into the letter box of the self-hosted stack: `POST http://mailbox/` with `{to, subject, text}`.
 * `fetcher` is the service's binding; the host name in the address means nothing to it.
 */
export function createMailboxMailer(fetcher: { fetch: Fetch }): Mailer {
  return {
    send: ({ to, subject, text }) =>
      postMail((url, init) => fetcher.fetch(url, init), "http://mailbox/", { to, subject, text }),
  };
}
