import { type ParseArgsConfig, parseArgs } from "node:util";

export type Options = NonNullable<ParseArgsConfig["options"]>;

/** Known to every command. */
export const COMMON_OPTIONS = {
  json: { type: "boolean" },
  url: { type: "string" },
  token: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies Options;

/** The words of one command, read. What is wrong with them is one sentence. */
export function parseOptions<Own extends Options>(words: readonly string[], options: Own) {
  try {
    const config = { args: [...words], options, allowPositionals: true, strict: true } as const;
    return { ok: true as const, ...parseArgs(config) };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(/\. |\n/, 1)[0] ?? "") : "";
    return { ok: false as const, message: `${reason}; \`npx mosaic --help\` lists what there is.` };
  }
}
