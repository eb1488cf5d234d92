/** `mosaic connect …`, as typed. */
import { ConnectorName } from "../../../shared/contract/connector.ts";
import { COMMON_OPTIONS, parseOptions } from "../parse-options.ts";
import { UpstreamUrl } from "./connector-file.ts";

export interface ConnectCommand {
  kind: "connect";
  help: boolean;
  /** What to call this machine; otherwise its host name. */
  name: string | undefined;
  /** Where Ollama is, from now on. */
  ollama: string | undefined;
}

interface Read {
  ok: true;
  command: ConnectCommand;
  url: string | undefined;
  token: string | undefined;
}

export const CONNECT_HELP = `Usage: npx mosaic connect [options]

  Lets your Mosaic use the model servers of this machine. It dials out and keeps the connection; no port is opened.
  The first time it signs in with a code and a browser, or with a one-time token from Settings, Machines.

Options
      --name <name>          what to call this machine, otherwise its host name
      --ollama <url>         where Ollama is, otherwise http://127.0.0.1:11434; remembered
      --url <url>            where Mosaic is (MOSAIC_URL)
      --token <token>        a one-time token, session token or API key (MOSAIC_TOKEN)
  -h, --help                 this text

What it offers stands in mosaic/connector.json in your configuration folder, and can be edited there:
  "upstreams": [{"name": "vllm", "kind": "openai-compatible", "url": "http://127.0.0.1:8000/v1", "headers": {}}]
`;

const { json: _, ...COMMON } = COMMON_OPTIONS;
const OPTIONS = { ...COMMON, name: { type: "string" }, ollama: { type: "string" } } as const;

/** What is wrong with the words is one sentence. */
export function parseConnect(words: readonly string[]): Read | { ok: false; message: string } {
  const parsed = parseOptions(words, OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed;
  const { help = false, name, ollama, url, token } = values;
  if (positionals.length > 0) return { ok: false, message: "`npx mosaic connect` takes options only; see --help." };
  if (name !== undefined && !ConnectorName.safeParse(name).success) {
    return { ok: false, message: "`--name` takes 1 to 60 characters." };
  }
  const ollamaUrl = ollama === undefined ? undefined : UpstreamUrl.safeParse(ollama);
  if (ollamaUrl && !ollamaUrl.success) {
    return { ok: false, message: `\`${ollama}\` is not an address; it looks like http://127.0.0.1:11434` };
  }
  return { ok: true, command: { kind: "connect", help, name: name?.trim(), ollama: ollamaUrl?.data }, url, token };
}
