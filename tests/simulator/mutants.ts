/** Known faults in the code that ships. Each one must be seen; one that nobody sees is a hole in the checker. */
export interface Mutant {
  name: string;
  what: string;
  file: string;
  /** Must be there exactly once. */
  find: string;
  replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no-dedupe",
    what: "a message id that is known already is taken for new",
    file: "shared/domain/conversation/decide.ts",
    find: "  if (known) {\n",
    replace: '  if (known && known.message.role === "system") {\n',
  },
];
