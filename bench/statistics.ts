import { writeFileSync } from "node:fs";

/** The value below which a share (0..1) of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export interface Figure {
  what: string;
  value: number;
  unit: "ms" | "s" | "MB" | "KiB" | "MB/s" | "x" | "rows/s" | "tokens/s" | "times" | "ticks";
  /** What it should stay below. */
  atMost?: number;
  /** What it should reach. */
  atLeast?: number;
}

const round = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const show = ({ value, unit }: Pick<Figure, "value" | "unit">): string =>
  unit === "x" || unit === "ms" ? `${round(value)} ${unit}` : `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;

const isMet = ({ value, atMost, atLeast }: Figure): boolean =>
  !(value > (atMost ?? Number.POSITIVE_INFINITY)) && !(value < (atLeast ?? Number.NEGATIVE_INFINITY));

function boundOf(figure: Figure): string {
  const { atMost, atLeast, unit } = figure;
  const bound = atMost === undefined ? (atLeast === undefined ? "" : `≥ ${atLeast} ${unit}`) : `≤ ${atMost} ${unit}`;
  return isMet(figure) ? bound : `${bound}, missed`;
}

/** One line for a figure that has just been taken. */
export function printFigure(figure: Figure): void {
  const bound = boundOf(figure);
  console.log(`${figure.what}: ${show(figure)}${bound && ` (${bound})`}`);
}

/** Prints figures as one Markdown table, ready for docs/performance.md. */
export function printFigures(figures: readonly Figure[]): void {
  console.log("| figure | measured | bound |");
  console.log("|---|---|---|");
  for (const figure of figures) console.log(`| ${figure.what} | ${show(figure)} | ${boundOf(figure)} |`);
}

/** Writes the figures, each with its bound and whether it holds, to a file. */
export function writeFigures(path: string, figures: readonly Figure[]): void {
  const measured = figures.map((figure) => ({ ...figure, isMet: isMet(figure) }));
  writeFileSync(path, `${JSON.stringify({ measuredAt: new Date().toISOString(), figures: measured }, null, 2)}\n`);
}
