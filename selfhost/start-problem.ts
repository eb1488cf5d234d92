/** Why the stack cannot start or go on, as one sentence for the person in front of it. Anything else thrown is a bug. */
export class StartProblem extends Error {
  override readonly name = "StartProblem";
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
