import { AppError } from "../../shared/domain/app-error.ts";

/**
 * One page of a list that is at hand as a whole, in the order of `placeOf`. The cursor is the place of the last item:
 * what comes and goes meanwhile moves nothing else.
 * @throws AppError `invalid_request` for a cursor that is no place
 */
export function pageFrom<Item>(
  all: readonly Item[],
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  { placeOf, isPlace }: { placeOf(item: Item): string; isPlace: RegExp },
): { items: Item[]; nextCursor: string | null } {
  if (cursor !== undefined && !isPlace.test(cursor)) {
    const message = "is not one that this list gave out";
    throw new AppError("invalid_request", `\`cursor\`: ${message}; start again without it.`, {
      errors: [{ path: "cursor", message }],
    });
  }
  const placed = all.map((item) => ({ item, place: placeOf(item) }));
  const sorted = placed.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
  const rest = cursor === undefined ? sorted : sorted.filter(({ place }) => place > cursor);
  const page = rest.slice(0, limit);
  return {
    items: page.map(({ item }) => item),
    nextCursor: rest.length > limit ? (page.at(-1)?.place ?? null) : null,
  };
}
