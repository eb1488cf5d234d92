/** What each client writes down while it lives, for the checker to read at the end. */

export interface SentMessage {
  id: string;
  text: string;
}

export interface Ack {
  id: string;
  seq: number;
}

/** One unbroken reading of the log: what was asked for, and what came. */
export interface Reading {
  /** The position that the client resumed after. */
  since: number;
  events: { seq: number; print: string }[];
}

export interface ClientHistory {
  name: string;
  /** Promises its own order: sends the next message only when the last one is acknowledged. */
  keepsOrder: boolean;
  /** In the order they were first handed out. */
  sent: SentMessage[];
  /** Every acknowledgement, repeated ones too. */
  acks: Ack[];
  /** Messages refused for good, with the server's code. */
  refused: { id: string; code: string }[];
  readings: Reading[];
  /** How often the server's log was found shorter than what was read already. */
  resets: number;
}

export const emptyHistory = (name: string, keepsOrder: boolean): ClientHistory => ({
  name,
  keepsOrder,
  sent: [],
  acks: [],
  refused: [],
  readings: [],
  resets: 0,
});

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const textOf = (parts: unknown): string =>
  Array.isArray(parts)
    ? parts.map((part: unknown) => String(field(part, "text") ?? field(part, "type"))).join("|")
    : "";

/** What names an event and what it says, short: two places that hold the same event have the same print. */
export function printOf(event: unknown): string {
  const message = field(event, "message");
  const words = typeof message === "object" ? textOf(field(message, "parts")) : "";
  return [
    field(event, "type"),
    field(message, "id") ?? field(event, "messageId") ?? "",
    field(event, "turnId") ?? "",
    field(event, "replyTo") ?? "",
    words,
  ].join(" ");
}
