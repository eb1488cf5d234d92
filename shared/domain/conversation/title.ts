import { type Part, textOf } from "../../contract/message.ts";

export const DEFAULT_TITLE = "New conversation";
const MAX_TITLE_LENGTH = 60;

/** A title from the first words of the first message, cut at a word; null when there are none. */
export function titleFrom(parts: readonly Part[]): string | null {
  const line = textOf(parts)
    .split("\n")
    .map((text) => text.replace(/^[#>*\-\s]+/, "").trim())
    .find((text) => text !== "");
  if (!line) return null;
  const words = line.replace(/\s+/g, " ");
  if (words.length <= MAX_TITLE_LENGTH) return words;
  const cut = words
    .slice(0, MAX_TITLE_LENGTH)
    .toWellFormed()
    .replace(/\uFFFD$/, "");
  const space = cut.lastIndexOf(" ");
  return `${(space > MAX_TITLE_LENGTH / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
