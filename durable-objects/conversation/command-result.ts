/** What a slash command answers, on whatever surface it was given. */
export interface CommandResult {
  ok: boolean;
  text: string;
  data?: unknown;
}
