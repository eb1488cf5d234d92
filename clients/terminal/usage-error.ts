/** What was typed cannot be meant; the program says why and ends with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
