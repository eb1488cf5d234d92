/** Of a secret shorter than this, four characters would be too much of it. */
const SHORTEST_HINTED = 12;

/** What may be shown of a secret: `…` and its last four characters, or nothing where that gives too much away. */
export const secretHint = (secret: string): string | null =>
  secret.length < SHORTEST_HINTED ? null : `…${secret.slice(-4)}`;
