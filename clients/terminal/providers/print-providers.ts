/** Providers and models as lines for a terminal. Pure; whatever others have written is made safe. */
import { HEALTH_WORDS, healthRank, kindName, pricePerMTok } from "../../../shared/client/provider-words.ts";
import type { Connector } from "../../../shared/contract/connector.ts";
import type { Model, ProviderHealth } from "../../../shared/contract/model.ts";
import type { Provider, ProviderTest } from "../../../shared/contract/provider.ts";
import { plainLine } from "../plain-text.ts";

const SCOPE_WORDS: Record<Provider["scope"], string> = {
  user: "only you",
  workspace: "a workspace",
  system: "everybody here",
};

interface Names {
  /** Of workspaces, by id. */
  workspaces: ReadonlyMap<string, string>;
  machines: readonly Pick<Connector, "id" | "name">[];
}

function placeOf({ config }: Provider, { machines }: Names): string[] {
  if (config.connectorId !== undefined) {
    const machine = machines.find(({ id }) => id === config.connectorId);
    return [`on ${plainLine(machine?.name ?? "a machine")}`];
  }
  return config.baseUrl === undefined ? [] : [plainLine(config.baseUrl)];
}

function keyOf({ credential, config }: Provider): string[] {
  const headers = Object.keys(config.headers ?? {}).length;
  const key = credential.configured
    ? [credential.method === "oauth" ? "logged in" : `key ${credential.hint ?? "saved"}`]
    : [];
  return [...key, ...(headers > 0 ? [`${headers} header${headers > 1 ? "s" : ""}`] : [])];
}

export function healthLine(
  provider: Pick<Provider, "health" | "isEnabled">,
  health: ProviderHealth | undefined,
): string {
  if (!provider.isEnabled) return "Disabled";
  const state = health?.state ?? provider.health;
  const latency = health?.latencyMs === null || health?.latencyMs === undefined ? [] : [`${health.latencyMs} ms`];
  const since = health && state !== "unknown" ? [`since ${health.since.slice(0, 16).replace("T", " ")} UTC`] : [];
  const facts = [HEALTH_WORDS[state], ...(state === "healthy" ? latency : []), ...since].join(", ");
  const error = state === "healthy" ? undefined : health?.lastError;
  return error === undefined ? facts : `${facts}: ${plainLine(error)}`;
}

/** Each provider in three short lines: what it is, how it fares, what to call it by. */
export function providerLines(providers: readonly Provider[], health: readonly ProviderHealth[], names: Names): string {
  if (providers.length === 0)
    return "No provider is connected yet. `npx mosaic providers add <kind>` connects one; --help lists the kinds.";
  return providers
    .map((provider) => {
      const workspace = provider.workspaceId === null ? undefined : names.workspaces.get(provider.workspaceId);
      const facts = [
        kindName(provider.kind),
        workspace === undefined ? SCOPE_WORDS[provider.scope] : `everybody in ${plainLine(workspace)}`,
        ...(provider.source === "environment" ? ["set by the operator"] : []),
        ...(provider.isDefault ? ["default"] : []),
        ...placeOf(provider, names),
        ...keyOf(provider),
      ];
      const own = health.find(({ providerId }) => providerId === provider.id);
      return `${plainLine(provider.displayName)} (${facts.join(", ")})\n  ${healthLine(provider, own)}\n  ${provider.id}`;
    })
    .join("\n");
}

/** What a test found, as a sentence. */
export const testLine = ({ ok, latencyMs, models, error }: ProviderTest): string =>
  ok
    ? `It answers in ${latencyMs} ms and lists ${models} model${models === 1 ? "" : "s"}.`
    : plainLine(error ?? "It does not answer.");

/** What is told of a provider that was just saved. */
export function savedLine({ displayName, id, config, scope }: Provider, test: ProviderTest): string {
  const name = plainLine(displayName);
  const fares = test.ok
    ? `Connected ${name} (${id}). ${testLine(test)}`
    : `Saved ${name} (${id}), but it cannot answer yet: ${testLine(test)}`;
  const isShared = config.connectorId !== undefined && scope !== "user";
  return isShared
    ? `${fares} You share your machine with it: questions of others are answered there whenever it is online.`
    : fares;
}

const windowOf = (tokens: number | null): string => {
  if (tokens === null) return "?";
  return tokens >= 1_000_000 ? `${Number((tokens / 1_000_000).toFixed(2))}M` : `${Math.round(tokens / 1000)}k`;
};

function pricesOf({ prices, tier }: Model): string {
  if (prices === null) return tier === "local" ? "free" : "?";
  const { inputMicroUsdPerMTok: input, outputMicroUsdPerMTok: output } = prices;
  return input === 0 && output === 0 ? "free" : `${pricePerMTok(input)}/${pricePerMTok(output)}`;
}

function capabilitiesOf({ capabilities }: Model): string {
  const { tools, vision, reasoning, embedding } = capabilities;
  return Object.entries({ tools, vision, reasoning, embedding })
    .flatMap(([name, has]) => (has ? [name] : []))
    .join(" ");
}

/** The capability matrix, a model a line: name, tier, window, dollars per million tokens in and out, what it can, health. */
export function modelLines(models: readonly Model[]): string {
  if (models.length === 0) return "No model can be reached. `npx mosaic providers` shows why.";
  const rows = models
    .toSorted((a, b) => healthRank(a.health) - healthRank(b.health))
    .map((model) => [
      plainLine(`${model.provider}/${model.id}`),
      model.tier,
      windowOf(model.contextWindow),
      pricesOf(model),
      capabilitiesOf(model),
      HEALTH_WORDS[model.health],
    ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
