/**
 * Stands for the clients' reading of frames: the shipped one, once for each text. The same frame goes to every client
 * and again to each that comes back, and what comes of it is frozen, so that no client can change what another sees.
 */
import { decodeServerFrame as decode, type IncomingFrame } from "../../../shared/client/decode-frame.ts";

const MOST_FRAMES = 2_000;
const decoded = new Map<string, IncomingFrame | null>();

export function decodeServerFrame(text: string): IncomingFrame | null {
  const known = decoded.get(text);
  if (known !== undefined) return known;
  const frame = decode(text);
  freeze(frame);
  if (decoded.size >= MOST_FRAMES) decoded.clear();
  decoded.set(text, frame);
  return frame;
}

function freeze(value: unknown): void {
  if (value === null || typeof value !== "object") return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
}
