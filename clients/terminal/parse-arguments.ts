import { closest, distance } from "fastest-levenshtein";
import * as z from "zod";
import { type ConnectCommand, parseConnect } from "./connect/parse-connect.ts";
import { COMMON_OPTIONS, parseOptions } from "./parse-options.ts";
import { type ModelsCommand, type ProvidersCommand, parseModels, parseProviders } from "./providers/parse-providers.ts";

export type Command =
  | { kind: "help" }
  | { kind: "version" }
  | { kind: "login" }
  | { kind: "logout" }
  | ProvidersCommand
  | ModelsCommand
  | ConnectCommand
  | { kind: "chat"; conversation: ConversationChoice; model: string | undefined }
  | {
      kind: "print";
      text: string;
      json: boolean;
      conversation: ConversationChoice;
      model: string | undefined;
    };

export type ConversationChoice = { kind: "new" } | { kind: "latest" } | { kind: "id"; id: string };

export interface Invocation {
  command: Command;
  /** Where Mosaic is, without a slash at the end. */
  url: string;
  /** From `--token` or MOSAIC_TOKEN; otherwise what `npx mosaic login` saved is used. */
  token: string | undefined;
}

export type Parsed = { ok: true; invocation: Invocation } | { ok: false; message: string };

const DEFAULT_URL = "http://localhost:8787";

export const HELP = `Usage: npx mosaic [options]

  npx mosaic                 chat
  npx mosaic -c [id]         go on with the latest conversation, or with the one named
  npx mosaic -p "text"       print one answer and exit; what is piped in is added to the text
  npx mosaic -p "/usage" -c  print the result of a slash command and exit
  npx mosaic login           sign in with a code and a browser
  npx mosaic logout          forget the sign-in
  npx mosaic providers       who can answer, and how they fare; --help shows how to connect more
  npx mosaic models          the models that can answer
  npx mosaic connect         let Mosaic use the model servers of this machine; --help shows how

Options
  -p, --print <text>         print one answer and exit
  -c, --continue [id]        go on with a conversation
  -m, --model <name>         the model to ask, instead of the routed one
      --json                 with -p: print one JSON object {conversationId, messageId, text, receipt, usage};
                             with providers and models: what the API answers
      --url <url>            where Mosaic is (MOSAIC_URL, otherwise ${DEFAULT_URL})
      --token <token>        a session token or API key (MOSAIC_TOKEN, otherwise the saved sign-in)
  -h, --help                 this text
  -v, --version              the version

Keys while chatting
  Enter sends, Shift+Enter or Ctrl+J breaks the line, Esc stops the answer, Up brings back what was sent,
  Ctrl+T shows or hides thinking, Ctrl+C clears and twice exits, Ctrl+D exits. /help lists the commands.
`;

const OPTIONS = {
  print: { type: "string", short: "p" },
  continue: { type: "string", short: "c" },
  model: { type: "string", short: "m" },
  ...COMMON_OPTIONS,
  version: { type: "boolean", short: "v" },
} as const;

const NAMES = new Set(
  Object.entries(OPTIONS).flatMap(([name, option]) => [
    `--${name}`,
    ...("short" in option ? [`-${option.short}`] : []),
  ]),
);
const isOption = (word: string): boolean => NAMES.has(word.split("=", 1)[0] ?? "");
/** Options whose value may be missing: the latest conversation, or a text that comes from stdin alone. */
const VALUE_MAY_MISS: Record<string, string> = {
  "-c": "--continue",
  "--continue": "--continue",
  "-p": "--print",
  "--print": "--print",
};

/** `parseArgs` knows no optional values: each becomes `--name=value`, empty where there was none. */
function withOptionalValues(words: readonly string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const name = VALUE_MAY_MISS[word];
    const next = words[at + 1];
    const hasValue = next !== undefined && !isOption(next);
    result.push(name === undefined ? word : `${name}=${hasValue ? next : ""}`);
    if (name !== undefined && hasValue) at += 1;
  }
  return result;
}

function checkUrl(value: string): string | null {
  const url = URL.parse(value);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function choice(value: string | undefined): ConversationChoice | null {
  if (value === undefined) return { kind: "new" };
  if (value === "") return { kind: "latest" };
  return z.guid().safeParse(value).success ? { kind: "id", id: value.toLowerCase() } : null;
}

/** Edits after which a word may still be a mistyped command. */
const MAX_EDITS = 2;

function notACommand(word: string): string {
  const meant = closest(word.toLowerCase(), ["login", "logout", ...Object.keys(PROGRAMS)]);
  if (distance(word.toLowerCase(), meant) <= MAX_EDITS) {
    return `\`${word}\` is not a command; did you mean \`npx mosaic ${meant}\`?`;
  }
  return `\`${word}\` is not a command; to ask something, write: npx mosaic -p "${word} …"`;
}

interface Values {
  print?: string | undefined;
  continue?: string | undefined;
  model?: string | undefined;
  json?: boolean | undefined;
  help?: boolean | undefined;
  version?: boolean | undefined;
}

function commandOf(values: Values, positionals: string[]): Command | string {
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  const [word, extra] = positionals;
  if (word === "login" || word === "logout") {
    return extra === undefined ? { kind: word } : `\`npx mosaic ${word}\` takes no further words.`;
  }
  if (word !== undefined) return notACommand(word);
  const conversation = choice(values.continue);
  if (!conversation)
    return `\`${values.continue}\` is not a conversation id; \`-c\` alone goes on with the latest one.`;
  if (values.print === undefined) {
    return values.json ? "`--json` works with -p only." : { kind: "chat", conversation, model: values.model };
  }
  return { kind: "print", text: values.print, json: values.json ?? false, conversation, model: values.model };
}

/** Commands with options of their own. */
const PROGRAMS = { providers: parseProviders, models: parseModels, connect: parseConnect } as const;
const isProgram = (word: string | undefined): word is keyof typeof PROGRAMS =>
  word !== undefined && Object.hasOwn(PROGRAMS, word);

/** Where the first word that is no option stands; `--url` and `--token` may come before it. */
function firstWord(words: readonly string[]): number {
  let at = 0;
  for (let option = true; option; ) {
    const found = /^--(?:url|token)(=?)/.exec(words[at] ?? "");
    option = found !== null;
    if (found) at += found[1] === "=" ? 1 : 2;
  }
  return at;
}

interface Read {
  ok: true;
  command: Command;
  url: string | undefined;
  token: string | undefined;
}

function readChat(words: readonly string[]): Read | { ok: false; message: string } {
  const parsed = parseOptions(withOptionalValues(words), OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed;
  const command = commandOf(values, positionals);
  if (typeof command === "string") return { ok: false, message: command };
  return { ok: true, command, url: values.url, token: values.token };
}

/** Reads the command line. What is wrong with it comes back as one sentence. */
export function parseArguments(words: readonly string[], env: Record<string, string | undefined>): Parsed {
  const at = firstWord(words);
  const program = words[at];
  const read = isProgram(program) ? PROGRAMS[program](words.toSpliced(at, 1)) : readChat(words);
  if (!read.ok) return read;
  const given = read.url ?? (env.MOSAIC_URL || DEFAULT_URL);
  const url = checkUrl(given);
  if (!url) return { ok: false, message: `\`${given}\` is not an address; it looks like ${DEFAULT_URL}` };
  return { ok: true, invocation: { command: read.command, url, token: read.token ?? (env.MOSAIC_TOKEN || undefined) } };
}
