import { parseSettings, type Settings } from "../contract/settings.ts";

/** @throws Error with one sentence that names the wrong variables; never their values. */
export function readSettings(env: object): Settings {
  const parsed = parseSettings(env);
  if (parsed.ok) return parsed.settings;
  throw new Error(`The Worker's configuration is incomplete. ${parsed.problems}. See docs/self-hosting.md.`);
}
