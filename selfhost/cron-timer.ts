/** Cron triggers never fire by themselves outside Cloudflare; this does it, in UTC and by the minute as there. */
const fields = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day", min: 1, max: 31 },
  { name: "month", min: 1, max: 12 },
  { name: "weekday", min: 1, max: 7 }, // Cloudflare counts from Sunday = 1
] as const;
type Field = (typeof fields)[number];

const names: Record<string, number> = Object.fromEntries([
  ...["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"].map((name, index) => [
    name,
    index + 1,
  ]),
  ...["sun", "mon", "tue", "wed", "thu", "fri", "sat"].map((name, index) => [name, index + 1]),
]);

function readNumber(text: string, field: Field, whole: string): number {
  const value = names[text.toLowerCase()] ?? (/^\d+$/.test(text) ? Number(text) : Number.NaN);
  if (!(value >= field.min && value <= field.max))
    throw new Error(`The cron trigger "${whole}" has a wrong ${field.name}: "${text}".`);
  return value;
}

function readField(text: string, field: Field, whole: string): Set<number> {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [range = "", step] = item.split("/");
    const [from = "", to] = range.split("-");
    const first = range === "*" ? field.min : readNumber(from, field, whole);
    const last =
      range === "*" || (to === undefined && step !== undefined)
        ? field.max
        : to === undefined
          ? first
          : readNumber(to, field, whole);
    const every = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(every) || every < 1)
      throw new Error(`The cron trigger "${whole}" has a wrong step: "${item}".`);
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

/**
 * @param cron five fields: minute, hour, day, month, weekday (1 = Sunday), with `*`, lists, ranges, steps and English names
 * @returns whether the trigger fires in the minute of `at` (UTC)
 * @throws Error when it is none
 */
export function parseCron(cron: string): (at: Date) => boolean {
  const parts = cron.trim().split(/\s+/);
  if (parts.length !== fields.length) throw new Error(`The cron trigger "${cron}" must have five fields.`);
  const sets = fields.map((field, index) => readField(parts[index] ?? "", field, cron));
  const has = (index: number, value: number): boolean => sets[index]?.has(value) ?? false;
  const daysAreFree = parts[2] === "*";
  const weekdaysAreFree = parts[4] === "*";
  return (at) => {
    const byDay = has(2, at.getUTCDate());
    const byWeekday = has(4, at.getUTCDay() + 1);
    // As everywhere: with both given, either suffices.
    const onDay = daysAreFree || weekdaysAreFree ? byDay && byWeekday : byDay || byWeekday;
    return onDay && has(0, at.getUTCMinutes()) && has(1, at.getUTCHours()) && has(3, at.getUTCMonth() + 1);
  };
}

/** Calls `fire` at the start of each minute a trigger names. @returns how to stop. */
export function startCronTimer(crons: readonly string[], fire: (cron: string, at: Date) => void): () => void {
  const triggers = crons.map((cron) => ({ cron, matches: parseCron(cron) }));
  let timer: NodeJS.Timeout | undefined;
  const wait = (after: number): void => {
    const next = (Math.floor(after / 60_000) + 1) * 60_000;
    timer = setTimeout(() => {
      for (const { cron, matches } of triggers) if (matches(new Date(next))) fire(cron, new Date(next));
      // After a sleep of the machine the minutes missed are not made up for, as on Cloudflare.
      wait(Math.max(next, Date.now()));
    }, next - Date.now());
  };
  if (triggers.length > 0) wait(Date.now());
  return () => clearTimeout(timer);
}
