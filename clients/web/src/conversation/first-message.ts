import { browserOutbox } from "../../../../shared/client/outbox.ts";

const LONGEST_TITLE = 60;

/** A name to begin with: the first line of what was asked, cut between words. */
export function titleFrom(text: string): string {
  const line = text.trim().split("\n", 1)[0]?.replace(/\s+/g, " ").trim() ?? "";
  if (line.length <= LONGEST_TITLE) return line;
  const cut = line.slice(0, LONGEST_TITLE).replace(/\s+\S*$/, "");
  return `${cut.toWellFormed()}…`;
}

/**
 * Puts the first message of a new conversation into its outbox, from where its client sends it: typed is kept, even
 * when the page goes away between creating the conversation and attaching to it.
 */
export function keepFirstMessage(conversationId: string, text: string): void {
  const id = crypto.randomUUID();
  const entry = { id, text, whenBusy: "queue", queuedAt: new Date().toISOString() };
  void browserOutbox(localStorage, conversationId).save(id, JSON.stringify(entry));
}
