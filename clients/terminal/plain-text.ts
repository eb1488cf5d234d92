import { stripVTControlCharacters } from "node:util";

const isControl = (code: number): boolean => (code < 0x20 && code !== 0x0a) || (code >= 0x7f && code <= 0x9f);
/** Marks that reorder what is read, so that a command shown is not the command copied. */
const isReordering = (code: number): boolean =>
  (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

/**
 * Text from elsewhere (models, people, servers) made safe for a terminal: escape sequences and control characters go,
 * or an answer could rewrite the screen, the clipboard or the window title. Line breaks stay, tabs become spaces.
 */
export function plainText(text: string): string {
  const kept: string[] = [];
  for (const char of stripVTControlCharacters(text.replaceAll("\r\n", "\n").replaceAll("\t", "    "))) {
    const code = char.codePointAt(0) ?? 0;
    if (!isControl(code) && !isReordering(code)) kept.push(char);
  }
  return kept.join("");
}

/** The same on one line. */
export const plainLine = (text: string): string => plainText(text).replace(/\s+/g, " ").trim();
