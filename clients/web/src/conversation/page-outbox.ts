import * as z from "zod";
import { browserOutbox, type OutboxStorage, parseOutbox } from "../../../../shared/client/outbox.ts";
import { whyUnsendable } from "../../../../shared/client/sendable.ts";
import { MAX_TEXT_LENGTH } from "../../../../shared/contract/message.ts";

/** What may still be made out of a record that is no entry. */
const Remains = z.object({ text: z.string().catch(""), queuedAt: z.iso.datetime().catch(new Date(0).toISOString()) });

function parsed(record: string): unknown {
  try {
    return JSON.parse(record);
  } catch {
    return null;
  }
}

function piecesOf(text: string): { type: "text"; text: string }[] {
  const pieces: { type: "text"; text: string }[] = [];
  for (let at = 0; at < text.length; at += MAX_TEXT_LENGTH)
    pieces.push({ type: "text", text: text.slice(at, at + MAX_TEXT_LENGTH) });
  return pieces.slice(0, 64);
}

/** A record as it was, or, where it could never be sent, one of a refused message that says so. */
function readable(id: string, record: string): string {
  const [entry] = parseOutbox([record]);
  if (entry && (entry.refused || entry.parts)) return record;
  const remains = Remains.safeParse(parsed(record)).data ?? { text: "", queuedAt: new Date(0).toISOString() };
  const { text, queuedAt } = entry ? { text: entry.text ?? "", queuedAt: entry.queuedAt } : remains;
  const why = whyUnsendable(text);
  if (entry && why === null) return record;
  const unreadable = text === "" ? "A message kept here can no longer be read. Discard it." : null;
  const refused = { code: "invalid_request", message: unreadable ?? why ?? "This message was kept in an old form." };
  const content = text === "" ? { text } : { parts: piecesOf(text) };
  return JSON.stringify({ id, ...content, queuedAt, refused });
}

/** The outbox of this page's conversation. What is kept and could never be sent is shown as failed, never hidden. */
export function pageOutbox(storage: Storage, conversationId: string): OutboxStorage {
  return browserOutbox(
    {
      get length() {
        return storage.length;
      },
      key: (index) => storage.key(index),
      getItem: (key) => {
        const record = storage.getItem(key);
        return record === null ? null : readable(key.slice(key.lastIndexOf(":") + 1), record);
      },
      setItem: (key, value) => storage.setItem(key, value),
      removeItem: (key) => storage.removeItem(key),
    },
    conversationId,
  );
}
