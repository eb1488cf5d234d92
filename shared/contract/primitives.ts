import * as z from "zod";

/** A UUID in any version; ids made here are UUIDv7, a client may send any. Order never comes from ids, only from `seq`. */
export const Id = z.guid().transform((value) => value.toLowerCase());
export type Id = string;

/** Position of an event in its conversation: 1, 2, 3 … without gaps. */
export const Seq = z.int().nonnegative();

/** ISO 8601, UTC. */
export const Timestamp = z.iso.datetime();

/** Money is an integer of millionths of a US dollar. */
export const MicroUsd = z.int();

/**
 * Text that Postgres and JSON can hold: NUL characters are dropped and lone surrogates replaced at the door,
 * because either one would block the write-behind for ever.
 */
export const cleanText = (value: string): string => value.replaceAll("\0", "").toWellFormed();

export const Text = z.string().transform(cleanText);

/** A short human label: cleaned, trimmed, one to `max` characters. */
export const label = (max: number) => Text.pipe(z.string().trim().min(1).max(max));

export const Page = z.strictObject({
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
