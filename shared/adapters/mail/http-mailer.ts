import type { Mailer } from "../../ports/mailer.ts";
import { type Fetch, postMail } from "./post-mail.ts";

export interface HttpMailerOptions {
  url: string;
  /** Sent as `Authorization: Bearer`; without it, nothing is. */
  key?: string | undefined;
  from: string;
  fetch?: Fetch;
}

/** Any mail service that takes `POST {from, to: [address], subject, text}` as JSON with a bearer key, as Resend's does. */
export function createHttpMailer({
  url,
  key,
  from,
  fetch: send = (to, init) => fetch(to, init),
}: HttpMailerOptions): Mailer {
  return {
    send: ({ to, subject, text }) =>
      postMail(send, url, { from, to: [to], subject, text }, key ? { authorization: `Bearer ${key}` } : {}),
  };
}
