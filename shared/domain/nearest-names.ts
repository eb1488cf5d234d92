import { distance } from "fastest-levenshtein";

const MAX_NAMES = 3;
/** Edits per letter beyond which two names have nothing to do with each other. */
const MAX_RELATIVE_DISTANCE = 0.6;

/** The known names that a mistyped one most likely stands for, best first, at most three. */
export function nearestNames(wanted: string, known: readonly string[]): string[] {
  const lower = wanted.toLowerCase();
  return known
    .map((name) => {
      const candidate = name.toLowerCase();
      const contains = lower !== "" && candidate.includes(lower);
      return { name, score: contains ? 0 : distance(lower, candidate) / Math.max(lower.length, candidate.length, 1) };
    })
    .filter(({ score }) => score <= MAX_RELATIVE_DISTANCE)
    .sort((a, b) => a.score - b.score)
    .slice(0, MAX_NAMES)
    .map(({ name }) => name);
}
