import type { TurnError } from "../../contract/events.ts";
import type { Part } from "../../contract/message.ts";
import type { HealthState, Model, ProviderKind } from "../../contract/model.ts";
import type { Classification, Receipt } from "../../contract/receipt.ts";
import { findModel } from "../catalogue/find-model.ts";
import { priceOf } from "../catalogue/price-of.ts";

/** A configured provider as the choice sees it; the guide is the last one. */
export interface RoutableInstance {
  id: string;
  kind: ProviderKind;
  displayName: string;
  health: HealthState;
  models: Model[];
}

export interface Candidate {
  instanceId: string;
  kind: ProviderKind;
  displayName: string;
  health: HealthState;
  model: Model;
}

export interface ChoiceFacts {
  receiptId: string;
  parts: readonly Part[];
  /** A model named for this message or pinned for the conversation: taken as it is, nothing else answers instead. */
  pinned: string | null;
  /** The workspace's default model: taken when it can be had. */
  preferred: string | null;
  instances: readonly RoutableInstance[];
  /** Estimate of what the model will read. */
  inputTokens: number;
  configuration: "fresh" | "snapshot";
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
  model,
});

/** The model a person means by a name, at the provider that has it; or the names that come nearest. */
export function namedCandidate(
  name: string,
  instances: readonly RoutableInstance[],
): Candidate | { nearest: string[] } {
  const found = findModel(name, instances);
  const instance = found.found ? instances.find((each) => each.id === found.providerId) : undefined;
  if (!found.found || !instance) return { nearest: found.found ? [] : found.nearest };
  return candidateOf(instance, found.model);
}

/** The pinned model, else the workspace's default, else the first healthy provider's first model, else the guide. */
export function chooseModel(facts: ChoiceFacts): Choice {
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
    rejected.push({ ...named(candidate), why: `${candidate.displayName} does not answer at the moment.` });

  const preferred = preferredCandidate(facts, rejected);
  const chain = preferred ? [preferred, ...up.filter((each) => each.instanceId !== preferred.instanceId)] : up;
  const candidates = [...(chain.length > 0 ? chain : down), ...guide];
  const [first] = candidates;
  if (!first) return noRoute(facts, "none", "No model can be reached.", []);
  return {
    candidates,
    receipt: receiptOf(facts, first, candidates, rejected, reasonFor(first, preferred)),
    error: null,
  };
}

function choosePinned(facts: ChoiceFacts, wanted: string): Choice {
  const candidate = namedCandidate(wanted, facts.instances);
  if ("nearest" in candidate)
    return noRoute(facts, wanted, `No provider here has a model "${wanted}".`, candidate.nearest);
  const receipt = receiptOf(facts, candidate, [candidate], [], `${candidate.model.name} was asked for by name.`);
  return { candidates: [candidate], receipt: { ...receipt, pinned: true }, error: null };
}

function preferredCandidate(facts: ChoiceFacts, rejected: Receipt["rejected"]): Candidate | null {
  if (facts.preferred === null) return null;
  const candidate = namedCandidate(facts.preferred, facts.instances);
  if ("nearest" in candidate) {
    rejected.push({
      providerId: "none",
      provider: "none",
      model: facts.preferred,
      why: "The workspace's default model is not offered by any provider.",
    });
    return null;
  }
  if (candidate.health !== "down") return candidate;
  rejected.push({
    ...named(candidate),
    why: `The workspace's default model cannot be reached: ${candidate.displayName} does not answer.`,
  });
  return null;
}

function reasonFor(first: Candidate, preferred: Candidate | null): string {
  if (first.kind === "guide") return "No language model is connected, so the built-in guide answers.";
  if (first === preferred) return `${first.model.name} is the default model of this workspace.`;
  if (first.health === "down")
    return `${first.displayName} does not answer at the moment and is tried once more, because nothing else is connected.`;
  return `${first.displayName} is the first provider that is ready.`;
}

const named = (candidate: Candidate) => ({
  providerId: candidate.instanceId,
  provider: candidate.kind,
  model: candidate.model.id,
});

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
    .filter((candidate) => candidate.kind !== "guide")
    .map(priced);
  const next = others.slice(0, 3);
  const dearest = others.toSorted((a, b) => b.microUsd - a.microUsd)[0];
  const predicted = chosen.kind === "guide" ? { inputTokens: 0, outputTokens: 0 } : usage;
  return {
    id: facts.receiptId,
    classification: unjudged(facts.parts),
    chosen: named(chosen),
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
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.join(" or ")}?` : " /models lists what can be reached.";
  return {
    candidates: [],
    error: { code: "no_route", message: `${why}${hint}` },
    receipt: unroutedReceipt(facts, wanted, why),
  };
}
