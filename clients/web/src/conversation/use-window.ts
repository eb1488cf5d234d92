import { useState } from "react";

/** A conversation may have ten thousand messages: a page that draws them all at once cannot be used. */
export const PAGE_OF_MESSAGES = 200;

/**
 * Which messages are drawn: from `from` to the end. Follows the end while history arrives; afterwards what is on the
 * page stays on it.
 */
export function useWindow(total: number, loading: boolean): { from: number; opened: boolean; showEarlier: () => void } {
  const [fixed, setFixed] = useState<number | null>(null);
  const latest = Math.max(0, total - PAGE_OF_MESSAGES);
  if (!loading && fixed === null) setFixed(latest);
  const from = Math.min(fixed ?? latest, latest);
  return { from, opened: fixed !== null, showEarlier: () => setFixed(Math.max(0, from - PAGE_OF_MESSAGES)) };
}
