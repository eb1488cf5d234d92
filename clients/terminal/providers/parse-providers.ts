/** `mosaic providers …` and `mosaic models …`, as typed. */
import { closest } from "fastest-levenshtein";
import { ConnectableKind, ProviderScope } from "../../../shared/contract/provider.ts";
import { COMMON_OPTIONS, parseOptions } from "../parse-options.ts";

/** Who may use what is connected; a workspace by its name or id, where there is more than one to choose from. */
export interface AudienceWish {
  scope: ProviderScope;
  workspace: string | undefined;
}

export interface AddWish extends AudienceWish {
  kind: ConnectableKind;
  name: string | undefined;
  keyFromStdin: boolean;
  baseUrl: string | undefined;
  /** A connected machine by its name or id, and which of its model servers. */
  machine: string | undefined;
  upstream: string | undefined;
  /** Names; the values are secrets, and are asked for like the key. */
  headers: string[];
  isDefault: boolean;
}

export const ONE_PROVIDER_ACTIONS = ["test", "remove", "enable", "disable", "default"] as const;
export type OneProviderAction = (typeof ONE_PROVIDER_ACTIONS)[number];

export type ProvidersWish =
  | { action: "help" }
  | { action: "list" }
  | { action: "add"; add: AddWish }
  | { action: OneProviderAction; which: string }
  | { action: "key"; which: string; keyFromStdin: boolean }
  | { action: "login"; kind: ConnectableKind; name: string | undefined; audience: AudienceWish };

export interface ProvidersCommand {
  kind: "providers";
  wish: ProvidersWish;
  json: boolean;
}

export interface ModelsCommand {
  kind: "models";
  help: boolean;
  refresh: boolean;
  json: boolean;
}

export interface Read<Command> {
  ok: true;
  command: Command;
  url: string | undefined;
  token: string | undefined;
}
type Refused = { ok: false; message: string };

const KINDS = ConnectableKind.options.join(", ");

export const PROVIDERS_HELP = `Usage: npx mosaic providers [command] [options]

  npx mosaic providers                       list them, with their health
  npx mosaic providers add <kind>            connect one; its key is asked for and not shown
  npx mosaic providers login <kind>          connect one by logging in there
  npx mosaic providers key <name|id>         change its key; it is asked for and not shown
  npx mosaic providers test <name|id>        ask it for its models, now
  npx mosaic providers default <name|id>     ask it first
  npx mosaic providers enable <name|id>      use it again
  npx mosaic providers disable <name|id>     keep it, and do not use it
  npx mosaic providers remove <name|id>      forget it with its key

Kinds: ${KINDS}

Options
      --name <name>          what to call it
      --scope <scope>        who may use it: user (you alone, the default), workspace, system
      --workspace <name|id>  which workspace, with --scope workspace
      --json                 print one JSON object
      --key-stdin            with add and key: read the key from stdin, one line; then one line for each --header

Options of add
      --base-url <url>       where its API is; needed for ollama and openai-compatible without --machine
      --machine <name|id>    the connected machine it runs on (npx mosaic connect)
      --upstream <name>      which model server of that machine
      --header <name>        a header to send along, for Cloudflare Access and others; its value is asked for
      --default              ask it first
`;

export const MODELS_HELP = `Usage: npx mosaic models [options]

  npx mosaic models          list the models that can answer, with window, prices and health

Options
      --refresh              ask every provider for its list first
      --json                 print one JSON object
`;

const OPTIONS = {
  ...COMMON_OPTIONS,
  name: { type: "string" },
  scope: { type: "string" },
  workspace: { type: "string" },
  "base-url": { type: "string" },
  machine: { type: "string" },
  upstream: { type: "string" },
  header: { type: "string", multiple: true },
  "key-stdin": { type: "boolean" },
  default: { type: "boolean" },
} as const;

const refuse = (message: string): Refused => ({ ok: false, message });
const seeHelp = "`npx mosaic providers --help` shows how.";

type Values = Extract<ReturnType<typeof parseOptions<typeof OPTIONS>>, { ok: true }>["values"];

/** Options that mean nothing to a command are a mistake, not a wish to ignore. */
const TAKEN: Record<string, readonly string[]> = {
  add: Object.keys(OPTIONS),
  login: ["name", "scope", "workspace"],
  key: ["key-stdin"],
};

function strayOption(values: Values, action: string): string | null {
  const taken = [...(TAKEN[action] ?? []), ...Object.keys(COMMON_OPTIONS)];
  return Object.keys(values).find((name) => !taken.includes(name)) ?? null;
}

function kindOf(word: string | undefined): ConnectableKind | Refused {
  if (word === undefined) return refuse(`Name what to connect: ${KINDS}.`);
  const parsed = ConnectableKind.safeParse(word.toLowerCase());
  if (parsed.success) return parsed.data;
  const meant = closest(word.toLowerCase(), [...ConnectableKind.options]);
  return refuse(`\`${word}\` is not a kind of provider; did you mean ${meant}? There are ${KINDS}.`);
}

function audienceOf({ scope, workspace }: Values): AudienceWish | Refused {
  const parsed = ProviderScope.safeParse(scope ?? (workspace === undefined ? "user" : "workspace"));
  if (!parsed.success) return refuse(`\`${scope}\` is not a scope; there are user, workspace and system.`);
  if (parsed.data !== "workspace" && workspace !== undefined)
    return refuse("`--workspace` goes with `--scope workspace` only.");
  return { scope: parsed.data, workspace };
}

const isRefused = (value: unknown): value is Refused =>
  typeof value === "object" && value !== null && "message" in value;

function addWish(values: Values, kind: ConnectableKind, audience: AudienceWish): ProvidersWish | Refused {
  const { machine, upstream, "base-url": baseUrl } = values;
  if (machine !== undefined && baseUrl !== undefined)
    return refuse("Give either `--base-url` or `--machine`, not both.");
  if (upstream !== undefined && machine === undefined) return refuse("`--upstream` goes with `--machine` only.");
  const isLocal = kind === "ollama" || kind === "openai-compatible";
  if (isLocal && machine === undefined && baseUrl === undefined)
    return refuse(`Say where it runs: \`--base-url <url>\`, or \`--machine <name>\` for a connected machine.`);
  const add = {
    ...{ kind, ...audience, baseUrl, machine, upstream, name: values.name, headers: values.header ?? [] },
    ...{ keyFromStdin: values["key-stdin"] ?? false, isDefault: values.default ?? false },
  };
  return { action: "add", add };
}

function wishOf(values: Values, positionals: readonly string[]): ProvidersWish | Refused {
  const [action = "list", word, extra] = positionals;
  if (values.help) return { action: "help" };
  const stray = strayOption(values, action);
  if (stray !== null) return refuse(`\`--${stray}\` does not go with \`${action}\`; ${seeHelp}`);
  // Not repeated: it may be a key.
  if (extra !== undefined)
    return refuse(
      "There is one word too many: a name with spaces needs quotes, and a key is asked for, never typed here.",
    );
  if (action === "list") return word === undefined ? { action } : refuse(`\`list\` takes no further words.`);
  if (action === "add" || action === "login") {
    const kind = kindOf(word);
    const audience = audienceOf(values);
    if (isRefused(kind)) return kind;
    if (isRefused(audience)) return audience;
    return action === "add" ? addWish(values, kind, audience) : { action, kind, name: values.name, audience };
  }
  const one = [...ONE_PROVIDER_ACTIONS, "key" as const].find((name) => name === action);
  if (one === undefined) {
    const meant = closest(action.toLowerCase(), ["list", "add", "login", "key", ...ONE_PROVIDER_ACTIONS]);
    return refuse(`\`${action}\` is not a command of providers; did you mean \`npx mosaic providers ${meant}\`?`);
  }
  if (word === undefined)
    return refuse(
      `Name the provider, by its name or id: \`npx mosaic providers ${one} <name|id>\`; \`npx mosaic providers\` lists them.`,
    );
  return one === "key"
    ? { action: one, which: word, keyFromStdin: values["key-stdin"] ?? false }
    : { action: one, which: word };
}

export function parseProviders(words: readonly string[]): Read<ProvidersCommand> | Refused {
  const parsed = parseOptions(words, OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed;
  const wish = wishOf(values, positionals);
  if (isRefused(wish)) return wish;
  return {
    ok: true,
    command: { kind: "providers", wish, json: values.json ?? false },
    url: values.url,
    token: values.token,
  };
}

export function parseModels(words: readonly string[]): Read<ModelsCommand> | Refused {
  const parsed = parseOptions(words, { ...COMMON_OPTIONS, refresh: { type: "boolean" } } as const);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed;
  if (positionals.length > 0) return refuse("`npx mosaic models` takes no further words.");
  const { help = false, refresh = false, json = false } = values;
  return { ok: true, command: { kind: "models", help, refresh, json }, url: values.url, token: values.token };
}
