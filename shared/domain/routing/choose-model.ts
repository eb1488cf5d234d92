import type { TurnError } from "../../contract/events.ts";
import type { Part } from "../../contract/message.ts";
import { type HealthState, type Model, ProviderKind, partsOfModelName } from "../../contract/model.ts";
import type { Classification, Receipt } from "../../contract/receipt.ts";
import { findModel } from "../catalogue/find-model.ts";
import { priceOf } from "../catalogue/price-of.ts";
import { isHidden, reject, SOMEBODYS_OWN } from "./rejections.ts";

/** A configured provider as the choice sees it; the guide is the last one. */
export interface RoutableInstance {
  id: string;
  kind: ProviderKind;
  displayName: string;
  /** `down`: nobody is sent there while anything else is left. */
  health: HealthState;
  /** Why it is not well: one sentence. */
  trouble: { error: string } | null;
  /** Of whoever asked, and of nobody else. */
  isPersonal: boolean;
  models: Model[];
}

export interface Candidate {
  instanceId: string;
  kind: ProviderKind;
  displayName: string;
  health: HealthState;
  isPersonal: boolean;
  model: Model;
}

export interface ChoiceFacts {
  receiptId: string;
  parts: readonly Part[];
  /** A model named for this message or pinned for the conversation: taken as it is, nothing else answers instead. */
  pinned: string | null;
  /** The workspace's default model: taken when it can be had. */
  preferred: string | null;
  /** The workspace's default provider: asked before the others. */
  preferredProviderId: string | null;
  /** In order of preference. */
  instances: readonly RoutableInstance[];
  /** Estimate of what the model will read. */
  inputTokens: number;
  configuration: "fresh" | "snapshot";
  /** Others read the receipt too: of personal instances it names no more than the vendor, but for the one that answers. */
  isShared: boolean;
}

export interface Choice {
  /** In the order in which they are asked; empty when the wish cannot be met. */
  candidates: Candidate[];
  receipt: Receipt;
  error: TurnError | null;
}

/** What an ordinary answer takes, until there are measurements. */
const EXPECTED_OUTPUT_TOKENS = 500;

/** The safe classes, with confidence 0: nobody has looked at the message's words. */
function unjudged(parts: readonly Part[]): Classification {
  return {
    taskType: "conversation",
    complexity: "moderate",
    domain: "general",
    requiredCapabilities: parts.some((part) => part.type === "image") ? ["vision"] : [],
    confidence: { taskType: 0, complexity: 0, domain: 0 },
  };
}

const candidateOf = (instance: RoutableInstance, model: Model): Candidate => ({
  instanceId: instance.id,
  kind: instance.kind,
  displayName: instance.displayName,
  health: instance.health,
  isPersonal: instance.isPersonal,
  model,
});

/** The model a person means by a name, at the best provider that has it, and how its name is kept; or the nearest names. */
export function namedCandidate(
  name: string,
  instances: readonly RoutableInstance[],
): { candidate: Candidate; name: string } | { nearest: string[] } {
  // One that is down stands last: the same model may be had elsewhere.
  const found = findModel(
    name,
    instances.toSorted((a, b) => Number(a.health === "down") - Number(b.health === "down")),
  );
  const instance = found.found ? instances.find((each) => each.id === found.providerId) : undefined;
  if (!found.found || !instance) return { nearest: found.found ? [] : found.nearest };
  return { candidate: candidateOf(instance, found.model), name: found.name };
}

/** The same model on other instances, such as another machine; those that are down last. */
function sameElsewhere({ instanceId, model }: Candidate, instances: readonly RoutableInstance[]): Candidate[] {
  return instances
    .flatMap((instance) => {
      const same = instance.models.find((each) => each.id === model.id);
      return same && instance.id !== instanceId ? [candidateOf(instance, same)] : [];
    })
    .toSorted((a, b) => Number(a.health === "down") - Number(b.health === "down"));
}

/** The workspace's default provider first; the others as they stand. */
function inOrder({ instances, preferredProviderId }: ChoiceFacts): readonly RoutableInstance[] {
  const first = instances.filter((each) => each.id === preferredProviderId);
  return first.length === 0 ? instances : [...first, ...instances.filter((each) => each.id !== preferredProviderId)];
}

/**
 * The pinned model, else the workspace's default, else the first model of the first provider that is not down, else the
 * guide. What answers instead is the same model elsewhere, where it can be had.
 */
export function chooseModel(given: ChoiceFacts): Choice {
  const facts = { ...given, instances: inOrder(given) };
  if (facts.pinned !== null) return choosePinned(facts, facts.pinned);
  const rejected: Receipt["rejected"] = [];
  const able = facts.instances.flatMap((instance) => {
    const [model] = instance.models;
    return model ? [candidateOf(instance, model)] : [];
  });
  const models = able.filter((candidate) => candidate.kind !== "guide");
  const guide = able.filter((candidate) => candidate.kind === "guide");
  const up = models.filter((candidate) => candidate.health !== "down");
  const down = models.filter((candidate) => candidate.health === "down");
  for (const candidate of down)
    reject(rejected, candidate, facts.isShared, { ...named(candidate), why: whyDown(candidate, facts) });

  const preferred = preferredCandidate(facts, rejected);
  const [first = null, ...others] = preferred
    ? [preferred, ...up.filter((each) => each.instanceId !== preferred.instanceId)]
    : up;
  const twins = first ? sameElsewhere(first, facts.instances).filter((each) => each.health !== "down") : [];
  const rest = others.filter((each) => !twins.some((twin) => twin.instanceId === each.instanceId));
  const chain = first ? [first, ...twins, ...rest] : down;
  const candidates = [...chain, ...guide];
  const [chosen] = candidates;
  if (!chosen) return noRoute(facts, "none", "No model can be reached.", []);
  return {
    candidates,
    receipt: receiptOf(facts, chosen, candidates, rejected, reasonFor(chosen, preferred, facts)),
    error: null,
  };
}

const whyDown = ({ instanceId, displayName }: Candidate, { instances }: Pick<ChoiceFacts, "instances">): string =>
  instances.find((each) => each.id === instanceId)?.trouble?.error ?? `${displayName} does not answer at the moment.`;

function choosePinned(facts: ChoiceFacts, wanted: string): Choice {
  const found = namedCandidate(wanted, facts.instances);
  if ("nearest" in found) {
    const { provider, id } = partsOfModelName(wanted);
    const open = facts.instances.filter((each) => !isHidden(each, facts.isShared));
    const seen = open.length === facts.instances.length ? found : namedCandidate(wanted, open);
    return noRoute(facts, id, whyUnrouted(provider, id, facts), "nearest" in seen ? seen.nearest : []);
  }
  const { candidate, name } = found;
  const isOneProviders = name.startsWith(`${candidate.instanceId}/`);
  const twins = isOneProviders ? [] : sameElsewhere(candidate, facts.instances);
  const candidates = [candidate, ...twins];
  const receipt = receiptOf(facts, candidate, candidates, [], `${candidate.model.name} was asked for by name.`);
  return { candidates, receipt: { ...receipt, pinned: true }, error: null };
}

function whyUnrouted(provider: string | null, id: string, { instances, isShared }: ChoiceFacts): string {
  if (provider === null || ProviderKind.safeParse(provider).success) {
    // One whose list nobody has read yet may have it.
    const asked = instances.find(({ kind, models, trouble }) => kind !== "guide" && models.length === 0 && trouble);
    if (!asked || provider !== null) return `No provider here offers the model "${id}".`;
    const why = isHidden(asked, isShared)
      ? `${SOMEBODYS_OWN} does not answer at the moment.`
      : `${asked.displayName} may have it, and does not answer: ${asked.trouble?.error}`;
    return `No provider that answers offers the model "${id}". ${why}`;
  }
  const instance = instances.find((each) => each.id === provider);
  return instance
    ? `${isHidden(instance, isShared) ? SOMEBODYS_OWN : instance.displayName} does not offer the model "${id}".`
    : `The provider that was to answer with "${id}" is not connected here any more.`;
}

function preferredCandidate(facts: ChoiceFacts, rejected: Receipt["rejected"]): Candidate | null {
  if (facts.preferred === null) return null;
  const found = namedCandidate(facts.preferred, facts.instances);
  if ("nearest" in found) {
    rejected.push({
      providerId: "none",
      provider: "none",
      model: partsOfModelName(facts.preferred).id,
      why: "The workspace's default model is not offered by any provider.",
    });
    return null;
  }
  const { candidate } = found;
  if (candidate.health !== "down") return candidate;
  reject(rejected, candidate, facts.isShared, {
    ...named(candidate),
    why: `The workspace's default model cannot be reached: ${whyDown(candidate, facts)}`,
  });
  return null;
}

function reasonFor(first: Candidate, preferred: Candidate | null, facts: ChoiceFacts): string {
  if (first.kind === "guide") return "No language model is connected, so the built-in guide answers.";
  if (first === preferred) return `${first.model.name} is the default model of this workspace.`;
  if (first.instanceId === facts.preferredProviderId)
    return `${first.displayName} is the default provider of this workspace.`;
  if (first.health === "down")
    return `${first.displayName} does not answer at the moment and is tried once more, because nothing else is connected.`;
  return `${first.displayName} is the first provider that is ready.`;
}

const named = (candidate: Candidate) => ({
  providerId: candidate.instanceId,
  provider: candidate.kind,
  model: candidate.model.id,
});

/** Its name, where the kind alone does not tell it from another. */
function whichOfSeveral(chosen: Candidate, { instances, isShared }: ChoiceFacts): { displayName?: string } {
  const isOnly = instances.filter(({ kind }) => kind === chosen.kind).length < 2;
  return isOnly || isHidden(chosen, isShared) ? {} : { displayName: chosen.displayName };
}

function receiptOf(
  facts: ChoiceFacts,
  chosen: Candidate,
  candidates: readonly Candidate[],
  rejected: Receipt["rejected"],
  reason: string,
): Receipt {
  const usage = { inputTokens: facts.inputTokens, outputTokens: EXPECTED_OUTPUT_TOKENS, cachedTokens: 0 };
  const priced = (candidate: Candidate) => ({
    provider: candidate.kind,
    model: candidate.model.id,
    microUsd: priceOf(candidate.model, usage),
  });
  const others = candidates
    .slice(1)
    .filter((candidate) => candidate.kind !== "guide" && !isHidden(candidate, facts.isShared))
    .map(priced);
  const next = others.slice(0, 3);
  const dearest = others.toSorted((a, b) => b.microUsd - a.microUsd)[0];
  const predicted = chosen.kind === "guide" ? { inputTokens: 0, outputTokens: 0 } : usage;
  return {
    id: facts.receiptId,
    classification: unjudged(facts.parts),
    chosen: { ...named(chosen), ...whichOfSeveral(chosen, facts) },
    pinned: false,
    rule: null,
    reason,
    rejected,
    predicted: {
      inputTokens: predicted.inputTokens,
      outputTokens: predicted.outputTokens,
      microUsd: priced(chosen).microUsd,
    },
    alternatives: dearest && !next.includes(dearest) ? [...next, dearest] : next,
    sticky: null,
    configuration: facts.configuration,
  };
}

/** The receipt of a turn that no model was chosen for: its wish cannot be met, or it ended before the choice. */
export function unroutedReceipt(
  facts: Pick<ChoiceFacts, "receiptId" | "parts" | "pinned" | "inputTokens" | "configuration">,
  wanted: string,
  reason: string,
): Receipt {
  return {
    id: facts.receiptId,
    classification: unjudged(facts.parts),
    chosen: { providerId: "none", provider: "none", model: wanted },
    pinned: facts.pinned !== null,
    rule: null,
    reason,
    rejected: [],
    predicted: { inputTokens: facts.inputTokens, outputTokens: 0, microUsd: 0 },
    alternatives: [],
    sticky: null,
    configuration: facts.configuration,
  };
}

function noRoute(facts: ChoiceFacts, wanted: string, why: string, nearest: readonly string[]): Choice {
  const hint =
    nearest.length > 0
      ? ` Did you mean ${nearest.join(" or ")}?`
      : " /models lists what can be reached, and /model clear lifts a pin.";
  return {
    candidates: [],
    error: { code: "no_route", message: `${why}${hint}` },
    receipt: unroutedReceipt(facts, wanted, why),
  };
}
