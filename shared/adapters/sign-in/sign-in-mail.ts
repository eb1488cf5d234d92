import type { Mail } from "../../ports/mailer.ts";

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();

export const resetMail = (to: string, url: string): Mail => ({
  to,
  subject: "Choose a new password",
  text: `Someone, hopefully you, asked for a new password. Choose it here within an hour:\n\n${url}\n\nIf it was not you, ignore this mail; nothing changes.\n`,
});

export const invitationMail = (
  to: string,
  what: { workspace: string; inviter: string; role: string; url: string },
): Mail => ({
  to,
  subject: `Invitation to ${oneLine(what.workspace).slice(0, 100)}`,
  text: `${oneLine(what.inviter)} invites you to work in "${oneLine(what.workspace)}" as ${what.role}. Accept here within a week:\n\n${what.url}\n\nSign in or sign up with this e-mail address to accept.\n`,
});
