import type { Model, ProviderKind } from "../../contract/model.ts";
import { nearestNames } from "../nearest-names.ts";
import { describeModel } from "./describe-model.ts";

/** A provider as far as names go. */
export interface NamedProvider {
  id: string;
  kind: ProviderKind;
  models: readonly Model[];
}

export type FoundModel = { found: true; providerId: string; model: Model } | { found: false; nearest: string[] };

interface Candidate {
  provider: NamedProvider;
  model: Model;
}

const NEAREST_COUNT = 3;
const MAX_NAME_LENGTH = 200;

const nearestTo = (wanted: string, candidates: readonly Candidate[]): string[] =>
  nearestNames(wanted, [...new Set(candidates.flatMap(({ model }) => [model.id, ...model.aliases]))]);

/** Splits `provider/id`, where the provider is an instance's id or its kind. */
function qualified(
  wanted: string,
  providers: readonly NamedProvider[],
): { provider: NamedProvider; rest: string } | undefined {
  const provider = providers.find(({ id }) => wanted.startsWith(`${id.toLowerCase()}/`));
  if (provider) return { provider, rest: wanted.slice(provider.id.length + 1) };
  const byKind = providers.find(({ kind }) => wanted.startsWith(`${kind}/`));
  return byKind && { provider: byKind, rest: wanted.slice(byKind.kind.length + 1) };
}

function among(wanted: string, candidates: readonly Candidate[]): { hit?: Candidate; ambiguous: Candidate[] } {
  const exact = candidates.find(({ model }) => model.id.toLowerCase() === wanted);
  const alias = exact ?? candidates.find(({ model }) => model.aliases.some((name) => name.toLowerCase() === wanted));
  if (alias) return { hit: alias, ambiguous: [] };
  const starting = candidates.filter(({ model }) => model.id.toLowerCase().startsWith(wanted));
  const [first] = starting;
  const sameModel = first && starting.every(({ model }) => model.id === first.model.id);
  return sameModel ? { hit: first, ambiguous: [] } : { ambiguous: starting };
}

/** Only an Ollama's list is the whole truth: what is not installed there cannot answer. The guide has its one. */
function mayBeThere({ provider, rest }: { provider: NamedProvider; rest: string }): boolean {
  if (rest === "" || provider.kind === "guide") return false;
  return provider.kind !== "ollama" || provider.models.length === 0;
}

/**
 * What a person means by a model's name: a vendor's id, `provider/id`, an alias or a prefix only one model has.
 * Earlier providers win where two have the same. A vendor's model that nobody knows is usable by its full name,
 * `provider/id`; any other unknown name comes back with the nearest ones.
 */
export function findModel(name: string, providers: readonly NamedProvider[]): FoundModel {
  const given = name.trim().slice(0, MAX_NAME_LENGTH);
  const wanted = given.toLowerCase();
  const candidates = providers.flatMap((provider) => provider.models.map((model) => ({ provider, model })));
  if (wanted === "") return { found: false, nearest: candidates.slice(0, NEAREST_COUNT).map(({ model }) => model.id) };
  const all = among(wanted, candidates);
  const scope = all.hit ? undefined : qualified(wanted, providers);
  const within =
    scope &&
    among(
      scope.rest,
      candidates.filter(({ provider }) => provider === scope.provider),
    );
  const hit = all.hit ?? within?.hit;
  if (hit) return { found: true, providerId: hit.provider.id, model: hit.model };
  if (scope && mayBeThere(scope)) {
    // A vendor may have what it does not list, or could not be asked yet: its name is taken at the user's word.
    const id = given.slice(given.length - scope.rest.length);
    const model = describeModel(scope.provider.kind, { id }, { providerId: scope.provider.id });
    return { found: true, providerId: scope.provider.id, model };
  }
  const ambiguous = [...all.ambiguous, ...(within?.ambiguous ?? [])];
  if (ambiguous.length > 0)
    return { found: false, nearest: ambiguous.slice(0, NEAREST_COUNT).map(({ model }) => model.id) };
  return { found: false, nearest: nearestTo(scope?.rest ?? wanted, candidates) };
}
