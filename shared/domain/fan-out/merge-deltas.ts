import type { DeltaFrame } from "../../contract/frames.ts";

/** One frame that says what two said, the second right behind the first; null where it does not go on there. */
export function mergeDeltas(first: DeltaFrame, second: DeltaFrame): DeltaFrame | null {
  const goesOn =
    first.turnId === second.turnId &&
    first.messageId === second.messageId &&
    first.part === second.part &&
    first.kind === second.kind &&
    first.offset + first.text.length === second.offset;
  return goesOn ? { ...first, text: first.text + second.text } : null;
}
