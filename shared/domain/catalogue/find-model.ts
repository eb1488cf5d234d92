import { type Model, type ProviderKind, partsOfModelName } from "../../contract/model.ts";
import { nearestNames } from "../nearest-names.ts";
import { describeModel } from "./describe-model.ts";

/** A provider as far as names go. */
export interface NamedProvider {
  id: string;
  kind: ProviderKind;
  models: readonly Model[];
}

export type FoundModel =
  | {
      found: true;
      providerId: string;
      model: Model;
      /** As it is kept: always in full, with what was meant in front, an instance's id where that was given, else the kind. */
      name: string;
    }
  | { found: false; nearest: string[] };

interface Candidate {
  provider: NamedProvider;
  model: Model;
}

/** Who is meant by what stands in front of a name, and what is asked of them. */
interface Scope {
  providers: readonly NamedProvider[];
  isInstance: boolean;
  rest: string;
}

const NEAREST_COUNT = 3;
/** A vendor's id as long as a person may write one, and an instance's id in front. */
const MAX_NAME_LENGTH = 240;

const nearestTo = (wanted: string, candidates: readonly Candidate[]): string[] =>
  nearestNames(wanted, [...new Set(candidates.flatMap(({ model }) => [model.id, ...model.aliases]))]);

/** Of a kind there may be several: two machines, or a person's own beside everybody's. */
function scopeOf(given: string, providers: readonly NamedProvider[]): Scope | null {
  const { provider, id: rest } = partsOfModelName(given);
  const instance = providers.filter(({ id }) => id === provider);
  if (instance.length > 0) return { providers: instance, isInstance: true, rest };
  const ofKind = providers.filter(({ kind }) => kind === provider);
  return ofKind.length > 0 ? { providers: ofKind, isInstance: false, rest } : null;
}

function exactly(wanted: string, candidates: readonly Candidate[]): Candidate | undefined {
  return (
    candidates.find(({ model }) => model.id.toLowerCase() === wanted) ??
    candidates.find(({ model }) => model.aliases.some((name) => name.toLowerCase() === wanted))
  );
}

const beginning = (wanted: string, candidates: readonly Candidate[]): Candidate[] =>
  candidates.filter(({ model }) => model.id.toLowerCase().startsWith(wanted));

/** The one model that they all are. */
function only(candidates: readonly Candidate[]): Candidate | undefined {
  const [first] = candidates;
  return first && candidates.every(({ model }) => model.id === first.model.id) ? first : undefined;
}

/** A vendor may have what it does not list: its name is taken at the user's word. */
function unlisted(rest: string, provider: NamedProvider | undefined): Candidate | undefined {
  if (!provider || rest === "") return undefined;
  return { provider, model: describeModel(provider.kind, { id: rest }, { providerId: provider.id }) };
}

const isUnasked = ({ kind, models }: NamedProvider): boolean => kind !== "guide" && models.length === 0;

/** Only an Ollama's list is the whole truth: what is not installed there cannot answer. The guide has its one. */
const mayHaveMore = ({ kind }: NamedProvider): boolean => kind !== "guide" && kind !== "ollama";

const candidatesOf = (providers: readonly NamedProvider[]): Candidate[] =>
  providers.flatMap((provider) => provider.models.map((model) => ({ provider, model })));

/**
 * What a person means by a model's name: a vendor's id, `provider/id` (the provider is an instance's id or a kind), an
 * alias or a prefix only one model has. Earlier providers win where several have the same.
 *
 * With a provider in front, that provider's model wins over another's whose id reads alike, as a gateway's do: also where
 * it could not be asked yet. What it does not list is another's model of exactly that id, else taken at the user's word.
 * Any other unknown name comes back with the nearest ones.
 */
export function findModel(name: string, providers: readonly NamedProvider[]): FoundModel {
  const given = name.trim().slice(0, MAX_NAME_LENGTH);
  const wanted = given.toLowerCase();
  const all = candidatesOf(providers);
  if (wanted === "") return { found: false, nearest: all.slice(0, NEAREST_COUNT).map(({ model }) => model.id) };
  const scope = scopeOf(given, providers);
  const own = scope ? candidatesOf(scope.providers) : [];
  const rest = scope?.rest.toLowerCase() ?? "";
  const inScope = rest === "" ? [] : beginning(rest, own);
  const anywhere = beginning(wanted, all);
  const hit =
    exactly(rest, own) ??
    unlisted(scope?.rest ?? "", scope?.providers.find(isUnasked)) ??
    exactly(wanted, all) ??
    only(inScope) ??
    unlisted(scope?.rest ?? "", scope?.providers.find(mayHaveMore)) ??
    only(anywhere);
  if (hit) {
    const { provider, model } = hit;
    const front = scope?.isInstance && scope.providers.includes(provider) ? provider.id : provider.kind;
    return { found: true, providerId: provider.id, model, name: `${front}/${model.id}` };
  }
  const ambiguous = [...anywhere, ...inScope];
  if (ambiguous.length > 0)
    return { found: false, nearest: ambiguous.slice(0, NEAREST_COUNT).map(({ model }) => model.id) };
  return { found: false, nearest: nearestTo(partsOfModelName(wanted).id, all) };
}
