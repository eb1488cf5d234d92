import * as z from "zod";
import { ServerFrame } from "../contract/frames.ts";
import { Part } from "../contract/message.ts";
import { Seq } from "../contract/primitives.ts";

/** An event of a kind that this client does not know: it takes its place in the order and shows nothing. */
interface UnknownEvent {
  type: "unknown-event";
  seq: number;
}
export type IncomingFrame = ServerFrame | UnknownEvent;

const EventEnvelope = z.object({ type: z.literal("event"), seq: Seq });
const WithMessage = z.looseObject({
  event: z.looseObject({ message: z.looseObject({ parts: z.array(z.unknown()) }) }),
});
const WithParts = z.looseObject({ parts: z.array(z.unknown()) });
const Known = z.unknown().refine((part) => Part.safeParse(part).success);
const knownParts = (parts: unknown[]): unknown[] => parts.filter((part) => Known.safeParse(part).success);

/** A newer server may send kinds of parts that are unknown here: the message stays readable without them. */
function withoutUnknownParts(value: unknown): unknown {
  const event = WithMessage.safeParse(value);
  if (event.success) {
    const { message } = event.data.event;
    return { ...event.data, event: { ...event.data.event, message: { ...message, parts: knownParts(message.parts) } } };
  }
  const snapshot = WithParts.safeParse(value);
  return snapshot.success ? { ...snapshot.data, parts: knownParts(snapshot.data.parts) } : value;
}

/** Reads one server frame; null for anything unknown, which a client ignores. */
export function decodeServerFrame(text: string): IncomingFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const frame = ServerFrame.safeParse(value);
  if (frame.success) return frame.data;
  const trimmed = ServerFrame.safeParse(withoutUnknownParts(value));
  if (trimmed.success) return trimmed.data;
  const envelope = EventEnvelope.safeParse(value);
  return envelope.success ? { type: "unknown-event", seq: envelope.data.seq } : null;
}
