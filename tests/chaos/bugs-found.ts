/** What the runs found in the code that ships, each in a sentence; told in docs/reliability.md. */
export const BUGS_FOUND: readonly string[] = [];
