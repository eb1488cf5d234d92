import { healthRank, kindName } from "../../../../shared/client/provider-words.ts";
import type { HealthState, Model } from "../../../../shared/contract/model.ts";

/** The name that commands and requests take: the vendor's id with its provider in front. */
export const modelName = (model: Model): string => `${model.provider}/${model.id}`;

export interface ModelChoice {
  /** What is pinned. */
  name: string;
  id: string;
  label: string;
  provider: string;
  /** The best of those that serve it. */
  health: HealthState;
}

/** What can be pinned for a chat, each once however many providers serve it, in the server's order. */
export function modelChoices(models: readonly Model[]): ModelChoice[] {
  const choices = new Map<string, ModelChoice>();
  for (const model of models) {
    if (model.capabilities.embedding) continue;
    const name = modelName(model);
    const { id, name: label, health } = model;
    const known = choices.get(name);
    if (!known) choices.set(name, { name, id, label, provider: kindName(model.provider), health });
    else if (healthRank(health) < healthRank(known.health)) choices.set(name, { ...known, health });
  }
  return [...choices.values()];
}

/** The one that a kept name means; a name without a provider in front is the first's that has such a model. */
export const choiceOf = (choices: readonly ModelChoice[], name: string | null): ModelChoice | undefined =>
  choices.find((choice) => choice.name === name) ?? choices.find(({ id }) => id === name);

/** Those that every word of a search is found in. */
export function searchChoices(choices: readonly ModelChoice[], search: string): ModelChoice[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return choices.filter(({ name, label, provider }) => {
    const text = `${label} ${name} ${provider}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
