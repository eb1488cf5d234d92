export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends mail. Throws when the mail was not accepted, so that the caller can say so. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}
