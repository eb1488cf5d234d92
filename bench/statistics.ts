/** The value below which a share (0..1) of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export interface Figure {
  what: string;
  value: number;
  unit: "ms" | "s" | "MB" | "KiB";
  /** What it should stay below. */
  atMost?: number;
}

const show = ({ value, unit }: Figure): string =>
  `${value.toFixed(value < 10 && unit === "ms" ? 2 : value < 100 ? 1 : 0)} ${unit}`;

/** Prints figures as one Markdown table, ready for docs/performance.md. */
export function printFigures(figures: readonly Figure[]): void {
  console.log("| figure | measured | at most |");
  console.log("|---|---|---|");
  for (const figure of figures) {
    const { atMost, unit, value } = figure;
    const limit = atMost === undefined ? "" : `${atMost} ${unit}${value > atMost ? " (exceeded)" : ""}`;
    console.log(`| ${figure.what} | ${show(figure)} | ${limit} |`);
  }
}
