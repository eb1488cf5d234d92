import * as z from "zod";
import { messageBodyFields } from "../contract/frames.ts";
import { Id, Timestamp } from "../contract/primitives.ts";

/** A message on its way: kept until the server has acknowledged it, so that nothing typed is lost with the client. */
export const OutboxEntry = z.object({
  id: Id,
  text: messageBodyFields.text,
  parts: messageBodyFields.parts,
  model: messageBodyFields.model,
  whenBusy: messageBodyFields.whenBusy,
  queuedAt: Timestamp,
  /**
   * Counts up with every message of a client and alone decides their order: clocks are set back, and two messages may
   * share a millisecond.
   */
  place: z.int().nonnegative().default(0),
  /** Why the server refused it; it is not sent again until someone asks for it. */
  refused: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type OutboxEntry = z.infer<typeof OutboxEntry>;

/**
 * Where unacknowledged messages survive the client: one record per message, so that two windows on one conversation
 * never overwrite each other's. `load` answers what earlier runs left, unparsed.
 */
export interface OutboxStorage {
  load(): Promise<string[]> | string[];
  save(id: string, record: string): Promise<void> | void;
  remove(id: string): Promise<void> | void;
}

/** Reads what storage held, in the order it was written; records that are not entries any more are left out. */
export function parseOutbox(records: string[]): OutboxEntry[] {
  const entries = records.flatMap((record) => {
    try {
      const parsed = OutboxEntry.safeParse(JSON.parse(record));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
  return entries.sort((a, b) => a.place - b.place || a.queuedAt.localeCompare(b.queuedAt) || a.id.localeCompare(b.id));
}

export function memoryOutbox(): OutboxStorage {
  const records = new Map<string, string>();
  return {
    load: () => [...records.values()],
    save: (id, record) => void records.set(id, record),
    remove: (id) => void records.delete(id),
  };
}

/** The part of `localStorage` used here. */
interface KeyValueStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The outbox of one conversation in the browser's `localStorage`. */
export function browserOutbox(storage: KeyValueStorage, conversationId: string): OutboxStorage {
  const prefix = `mosaic:outbox:${conversationId}:`;
  return {
    load: () => {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      return keys.filter((key) => key.startsWith(prefix)).flatMap((key) => storage.getItem(key) ?? []);
    },
    save: (id, record) => storage.setItem(prefix + id, record),
    remove: (id) => storage.removeItem(prefix + id),
  };
}
