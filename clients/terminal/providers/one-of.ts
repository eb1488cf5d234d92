import { plainLine } from "../plain-text.ts";
import { UsageError } from "../usage-error.ts";

/** The one that a person means by its id or its name. @throws UsageError where there is none, or more than one */
export function oneOf<Item extends { id: string; name: string }>(
  items: readonly Item[],
  word: string,
  what: string,
): Item {
  const wanted = word.trim().toLowerCase();
  const byId = items.find(({ id }) => id === wanted);
  if (byId) return byId;
  const [found, ...others] = items.filter(({ name }) => name.toLowerCase() === wanted);
  if (found && others.length === 0) return found;
  if (found) {
    const ids = [found, ...others].map(({ id }) => id).join(", ");
    throw new UsageError(`There is more than one ${what} called ${plainLine(word)}; take its id: ${ids}.`);
  }
  const names = items.map(({ name }) => plainLine(name)).join(", ");
  throw new UsageError(
    names === "" ? `There is no ${what} here.` : `There is no ${what} called ${plainLine(word)}; there are ${names}.`,
  );
}
