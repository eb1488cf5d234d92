/** A passage's beginning in whole sentences, list items, table rows and code blocks. Pure. */

const WANTED_LENGTH = 350;
/** One sentence may be this long before it is left out. */
const MOST_LENGTH = 450;

interface Piece {
  text: string;
  /** What stands between this piece and the one before it. */
  gap: string;
}

const isTable = (block: string): boolean => block.startsWith("|");

/** Code stays whole even over blank lines: half of it is of no use, and an open fence swallows what follows. */
function blocksOf(text: string): string[] {
  return (text.match(/^```[^\n]*\n[\s\S]*?^```$|(?:^(?!```).*\S.*\n?)+/gm) ?? []).map((block) => block.trimEnd());
}

function piecesOf(block: string): string[] {
  if (block.startsWith("```")) return [block];
  if (isTable(block)) {
    const [head = "", line = "", first = "", ...rows] = block.split("\n");
    return [[head, line, first].join("\n"), ...rows];
  }
  if (/^(?:[-*]|\d+\.) /.test(block)) return block.split(/\n(?=(?:[-*]|\d+\.) )/);
  return block.split(/(?<=[.!?][)*`”"]{0,2})\s+(?=[\p{Lu}*`“"[])/u);
}

/** @returns about 350 characters of Markdown; empty when not even the first piece is short enough to quote */
export function shortenPassage(text: string): string {
  const pieces = blocksOf(text).flatMap((block, blockIndex): Piece[] => {
    const inner = isTable(block) || /^(?:[-*]|\d+\.) /.test(block) ? "\n" : " ";
    return piecesOf(block).map((piece, index) => ({
      text: piece,
      gap: index > 0 ? inner : blockIndex > 0 ? "\n\n" : "",
    }));
  });
  const kept: Piece[] = [];
  let length = 0;
  for (const piece of pieces) {
    const most = kept.length === 0 ? MOST_LENGTH : WANTED_LENGTH;
    if (length + piece.gap.length + piece.text.length > most) break;
    kept.push(piece);
    length += piece.gap.length + piece.text.length;
  }
  // An announcement without what it announces is half a sentence too.
  while (kept.length < pieces.length && kept.at(-1)?.text.endsWith(":")) kept.pop();
  return kept.map(({ gap, text: piece }) => gap + piece).join("");
}
