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

/** Reading the property may throw already, where the browser forbids it. */
type OpenStorage = () => Storage;
export const pageStorage: OpenStorage = () => localStorage;

/** What the browser would not keep, until this page goes. */
const unkept = new Map<string, Map<string, string>>();

/** Who else signs in on this browser must not send what somebody else wrote: an outbox is one person's. */
const nameOf = (userId: string, conversationId: string): string => `${userId}:${conversationId}`;

/** The outbox of one person's page. What is kept and could never be sent is shown as failed, never hidden. */
export function pageOutbox(open: OpenStorage, userId: string, conversationId: string): OutboxStorage {
  const name = nameOf(userId, conversationId);
  const here = unkept.get(name) ?? new Map<string, string>();
  unkept.set(name, here);
  const kept = (): OutboxStorage => {
    const storage = open();
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
      name,
    );
  };
  const stored = async (): Promise<string[]> => {
    try {
      return await kept().load();
    } catch {
      return [];
    }
  };
  return {
    load: async () => [...(await stored()), ...here.values()],
    save: async (id, record) => {
      here.set(id, record);
      await kept().save(id, record);
      here.delete(id);
    },
    remove: async (id) => {
      here.delete(id);
      await kept().remove(id);
    },
  };
}

/** The conversations in which this person left something unsent on this browser. */
export function conversationsWithOutbox(open: OpenStorage, userId: string): string[] {
  try {
    const storage = open();
    const prefix = `mosaic:outbox:${userId}:`;
    const keys = Array.from({ length: storage.length }, (_unused, index) => storage.key(index) ?? "");
    const ids = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length).split(":")[0] ?? "");
    return [...new Set(ids)];
  } catch {
    return [];
  }
}
