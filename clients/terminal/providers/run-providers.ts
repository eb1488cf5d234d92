/** `mosaic providers` and `mosaic models`, carried out. */
import { ApiError } from "../../../shared/client/api-error.ts";
import { KIND_WORDS, kindName } from "../../../shared/client/provider-words.ts";
import type { CreateProvider, Provider } from "../../../shared/contract/provider.ts";
import type { Server } from "../open-conversation.ts";
import { plainLine } from "../plain-text.ts";
import { UsageError } from "../usage-error.ts";
import { askSecret, readLines } from "./ask-secret.ts";
import { logInThere } from "./log-in-there.ts";
import { oneOf } from "./one-of.ts";
import {
  type AddWish,
  type AudienceWish,
  MODELS_HELP,
  type ModelsCommand,
  type OneProviderAction,
  PROVIDERS_HELP,
  type ProvidersCommand,
} from "./parse-providers.ts";
import { modelLines, providerLines, savedLine, testLine } from "./print-providers.ts";

export interface Surroundings {
  signIn: () => Promise<Server>;
  say: (line: string) => void;
}

type Audience = Pick<CreateProvider, "scope"> & { workspaceId?: string };

async function audienceOf({ api }: Server, { scope, workspace }: AudienceWish): Promise<Audience> {
  if (scope !== "workspace") return { scope };
  const shared = (await api.me()).workspaces.filter(({ personal }) => !personal);
  if (workspace !== undefined) return { scope, workspaceId: oneOf(shared, workspace, "workspace").id };
  const [only, ...others] = shared;
  if (!only) throw new UsageError("You are in no workspace with others; leave `--scope workspace` out.");
  if (others.length > 0) throw new UsageError("You are in several workspaces: name one with `--workspace <name>`.");
  return { scope, workspaceId: only.id };
}

async function placeOf({ api }: Server, { baseUrl, machine, upstream }: AddWish): Promise<CreateProvider["config"]> {
  if (machine === undefined) return baseUrl === undefined ? {} : { baseUrl };
  const { id } = oneOf(await api.connectors.list(), machine, "machine");
  return { connectorId: id, ...(upstream === undefined ? {} : { upstream }) };
}

interface Secrets {
  apiKey: string;
  headers: Record<string, string>;
}

/** The key and the headers' values, in this order, typed or piped in. */
async function secretsFor({ kind, headers, keyFromStdin, machine }: AddWish): Promise<Secrets> {
  const takesKey = KIND_WORDS[kind].key !== "none" && machine === undefined;
  const wanted = [
    ...(takesKey ? [`${KIND_WORDS[kind].name} API key`] : []),
    ...headers.map((name) => `Value of ${name}`),
  ];
  const given = keyFromStdin ? await readLines(wanted.length) : [];
  if (!keyFromStdin) for (const question of wanted) given.push(await askSecret(question));
  const apiKey = takesKey ? (given.shift() ?? "") : "";
  if (apiKey === "" && KIND_WORDS[kind].key === "needed")
    throw new UsageError("No key was given, so nothing was connected.");
  const missing = headers.find((_, at) => (given[at] ?? "") === "");
  if (missing !== undefined)
    throw new UsageError(`No value was given for the header ${missing}, so nothing was connected.`);
  return { apiKey, headers: Object.fromEntries(headers.map((name, at) => [name, given[at] ?? ""])) };
}

async function add(server: Server, wish: AddWish, json: boolean, say: (line: string) => void): Promise<number> {
  const { api } = server;
  const [audience, config] = [await audienceOf(server, wish), await placeOf(server, wish)];
  const { apiKey, headers } = await secretsFor(wish);
  const provider = await api.providers.create({
    kind: wish.kind,
    displayName: wish.name ?? KIND_WORDS[wish.kind].name,
    ...audience,
    config: wish.headers.length === 0 ? config : { ...config, headers },
    ...(apiKey === "" ? {} : { credential: { apiKey } }),
    isDefault: wish.isDefault,
  });
  const test = await api.providers.test(provider.id);
  if (json) say(JSON.stringify({ provider, test }));
  else say(savedLine(provider, test));
  return test.ok ? 0 : 1;
}

const DONE: Record<Exclude<OneProviderAction, "test">, string> = {
  remove: "is removed, and its key is forgotten.",
  enable: "is enabled. It applies to the next message.",
  disable: "is disabled. It applies to the next message.",
  default: "is asked first from now on.",
};

async function change(
  { api }: Server,
  { id }: Provider,
  action: Exclude<OneProviderAction, "test">,
): Promise<Provider | null> {
  if (action === "remove") {
    await api.providers.remove(id);
    return null;
  }
  return await api.providers.update(
    id,
    action === "default" ? { isDefault: true } : { isEnabled: action === "enable" },
  );
}

async function find({ api }: Server, which: string): Promise<Provider> {
  const { items } = await api.providers.list();
  return oneOf(
    items.map((item) => ({ ...item, name: item.displayName })),
    which,
    "provider",
  );
}

/** The same provider with another key, asked at once. */
async function changeKey(
  server: Server,
  { which, keyFromStdin }: Extract<ProvidersCommand["wish"], { action: "key" }>,
  json: boolean,
  say: (line: string) => void,
): Promise<number> {
  const { id, kind, displayName } = await find(server, which);
  const question = `${kindName(kind)} API key of ${plainLine(displayName)}`;
  const apiKey = keyFromStdin ? ((await readLines(1))[0] ?? "") : await askSecret(question);
  if (apiKey === "") throw new UsageError("No key was given, so nothing was changed.");
  const provider = await server.api.providers.update(id, { credential: { apiKey } });
  const test = await server.api.providers.test(id);
  say(json ? JSON.stringify({ provider, test }) : `${plainLine(displayName)} has its new key. ${testLine(test)}`);
  return test.ok ? 0 : 1;
}

async function act(
  server: Server,
  action: OneProviderAction,
  which: string,
  json: boolean,
  say: (line: string) => void,
) {
  const provider = await find(server, which);
  const name = plainLine(provider.displayName);
  if (action === "test") {
    const test = await server.api.providers.test(provider.id);
    say(json ? JSON.stringify(test) : `${name}: ${testLine(test)}`);
    return test.ok ? 0 : 1;
  }
  const changed = await change(server, provider, action);
  if (json) say(JSON.stringify(changed ?? { id: provider.id, removed: true }));
  else say(`${name} ${DONE[action]}`);
  return 0;
}

async function list({ api }: Server, json: boolean): Promise<string> {
  const [{ items }, health, me, machines] = await Promise.all([
    api.providers.list(),
    api.providers.health(),
    api.me(),
    api.connectors.list(),
  ]);
  if (json)
    return JSON.stringify({
      items: items.map((each) => ({
        ...each,
        healthNow: health.find(({ providerId }) => providerId === each.id) ?? null,
      })),
    });
  const workspaces = new Map(me.workspaces.map(({ id, name }) => [id, name]));
  return providerLines(items, health, { workspaces, machines });
}

async function logIn(
  server: Server,
  wish: Extract<ProvidersCommand["wish"], { action: "login" }>,
  json: boolean,
  say: (line: string) => void,
) {
  const { api } = server;
  const displayName = wish.name === undefined ? {} : { displayName: wish.name };
  const started = await api.providers.startLogin(wish.kind, {
    ...(await audienceOf(server, wish.audience)),
    ...displayName,
  });
  // What is read by a program stays one object; the person beside it reads the other stream.
  const tell = json ? (line: string) => void process.stderr.write(`${line}\n`) : say;
  const { providerId } = await logInThere(server, started, tell);
  if (providerId === null)
    throw new ApiError({ code: "unexpected", message: "The login succeeded and made no provider; start it again." });
  const provider = await api.providers.get(providerId);
  say(json ? JSON.stringify(provider) : `Connected ${plainLine(provider.displayName)} (${provider.id}).`);
  return 0;
}

/** @returns the exit code: 1 where a provider was asked and does not answer. @throws ApiError, UsageError */
export async function runProviders({ wish, json }: ProvidersCommand, { signIn, say }: Surroundings): Promise<number> {
  if (wish.action === "help") {
    say(PROVIDERS_HELP.trimEnd());
    return 0;
  }
  const server = await signIn();
  switch (wish.action) {
    case "list":
      say(await list(server, json));
      return 0;
    case "add":
      return await add(server, wish.add, json, say);
    case "login":
      return await logIn(server, wish, json, say);
    case "key":
      return await changeKey(server, wish, json, say);
    default:
      return await act(server, wish.action, wish.which, json, say);
  }
}

/** @returns the exit code. @throws ApiError */
export async function runModels(
  { help, refresh, json }: ModelsCommand,
  { signIn, say }: Surroundings,
): Promise<number> {
  if (help) {
    say(MODELS_HELP.trimEnd());
    return 0;
  }
  const { api } = await signIn();
  if (refresh) await api.models.refresh();
  const items = await api.models.list();
  say(json ? JSON.stringify({ items }) : modelLines(items));
  return 0;
}
