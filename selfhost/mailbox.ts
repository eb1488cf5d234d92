/** The letter box of a stack that has no mail service: each letter goes to the console and into a file of its own. */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const Mail = z.object({ to: z.string().min(1), subject: z.string(), text: z.string() });
export type Mail = z.infer<typeof Mail>;

/** One line, so that a header cannot be forged, and nothing that steers a terminal. */
const oneLine = (value: string): string => value.replace(/\p{Cc}+/gu, " ");

/** @returns the file it was written to. */
export function keepMail(folder: string, mail: Mail, now: Date): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${now.toISOString().replaceAll(":", "-")}-${randomUUID().slice(0, 8)}.txt`);
  const head = [`Date: ${now.toISOString()}`, `To: ${oneLine(mail.to)}`, `Subject: ${oneLine(mail.subject)}`];
  writeFileSync(path, `${head.join("\n")}\n\n${mail.text}\n`, { mode: 0o600 });
  return path;
}

/** What the Worker's MAILBOX binding calls: POST a `Mail`; 204 when it is kept, 400 when it is none. */
export async function receiveMail(folder: string, request: Request, print: (line: string) => void): Promise<Response> {
  const parsed = Mail.safeParse(await request.json().catch(() => null));
  if (request.method !== "POST" || !parsed.success)
    return new Response("POST {to, subject, text} as JSON.", { status: 400 });
  const path = keepMail(folder, parsed.data, new Date());
  print(`Mail to ${oneLine(parsed.data.to)}: ${oneLine(parsed.data.subject)}`);
  for (const line of parsed.data.text.split("\n")) print(`  ${oneLine(line)}`);
  print(`  (kept in ${path})`);
  return new Response(null, { status: 204 });
}
