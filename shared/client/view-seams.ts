import type { Part } from "../contract/message.ts";
import type { Notice, ViewMessage } from "./view-state.ts";

/** A seam and the number of parts that stand before it; all of them where the place is not known. */
export interface Seam {
  notice: Notice;
  afterParts: number;
}

/** After a cut the words go on in a part of their own: only there do two texts follow each other. */
function cutsBetweenTexts(parts: readonly Part[]): number[] {
  return parts.flatMap((part, at) => (part.type === "text" && parts[at - 1]?.type === "text" ? [at] : []));
}

/** What happened while an answer was written, each at its place. Its end (failed, stopped) is no seam. */
export function seamsOf({ parts, turn, status }: Pick<ViewMessage, "parts" | "turn" | "status">): Seam[] {
  const notices = turn?.notices ?? [];
  const ending = endingOf({ turn, status });
  const cuts = cutsBetweenTexts(parts);
  const continued = notices.filter(({ kind }) => kind === "continued");
  const found = cuts.length === continued.length ? cuts : [];
  return notices
    .filter((notice) => notice.kind !== "failed" && notice !== ending && notice.text !== ending?.text)
    .map((notice) => {
      const place = notice.afterParts ?? found[continued.indexOf(notice)] ?? parts.length;
      return { notice, afterParts: Math.min(place, parts.length) };
    });
}

/** A message that joined a running answer, and the number of parts of the answer that stand before it. */
export interface Joined {
  message: ViewMessage;
  afterParts: number;
}

/** The messages that an answer took into account while it was being written, where that is known, each at its place. */
export function joinedTo({ metadata, parts }: ViewMessage, messages: ReadonlyMap<string, ViewMessage>): Joined[] {
  return (metadata.steeredBy ?? []).flatMap((id, index) => {
    const message = messages.get(id);
    const place = metadata.steeredAt?.[index];
    return message && place !== undefined ? [{ message, afterParts: Math.min(place, parts.length) }] : [];
  });
}

/** Why an answer that stopped or failed ended; null of every other. */
export function endingOf({ turn, status }: Pick<ViewMessage, "turn" | "status">): Notice | null {
  if (status !== "stopped" && status !== "failed") return null;
  const kind = status === "stopped" ? "interrupted" : "failed";
  return turn?.notices.findLast((notice) => notice.kind === kind) ?? null;
}

/** The name of whoever stopped an answer; null where nobody did. */
export const stoppedBy = (ending: Notice | null): string | null =>
  /^Stopped by (.+)\.$/s.exec(ending?.text ?? "")?.[1] ?? null;
