import type { TurnError } from "../../shared/contract/events.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import { selectContext } from "../../shared/domain/context/select.ts";
import {
  type Candidate,
  type Choice,
  type ChoiceFacts,
  chooseModel,
} from "../../shared/domain/routing/choose-model.ts";
import { isHidden, SOMEBODYS_OWN } from "../../shared/domain/routing/rejections.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import { beginTurn } from "./begin-turn.ts";
import type { ReadConfiguration } from "./configuration.ts";
import { historyTo } from "./history.ts";
import { knownInstances } from "./known-instances.ts";
import { publish, type Room } from "./room.ts";
import type { PlannedCandidate, RunningTurn } from "./running-turn.ts";
import { broadcastSession } from "./session-info.ts";

/** How long the first message after a start waits for providers that were never asked before. */
const FIRST_PROBE_DEADLINE_MS = 1_500;

export interface PlannedTurn {
  /** In the order in which they are asked; empty where `error` says why. */
  candidates: PlannedCandidate[];
  error: TurnError | null;
  /** Why somebody is not among them who might be. */
  notes: string[];
  receipt: Receipt;
  configuration: ReadConfiguration;
}

/** Reads what a turn depends on and chooses; writes nothing. A resumed turn keeps its receipt's id. */
export async function planTurn(room: Room, running: RunningTurn, resumed: boolean): Promise<PlannedTurn> {
  const { services, journal } = room;
  const { turn } = running;
  const question = journal.message(turn.replyTo)?.message;
  const configuration = await room.configuration.read(turn.askedBy);
  const workspace = configuration.value?.workspace;
  const instances = await knownInstances(services, configuration.value, FIRST_PROBE_DEADLINE_MS);
  const earlier = resumed ? turn.receipt : null;
  const isShared = journal.born.visibility !== "private";
  const staysWith = running.progress.asked?.model ?? earlier?.chosen.model;
  const choice = chooseTried(services.health, instances, staysWith, {
    receiptId: earlier?.id ?? services.newId(),
    parts: question?.parts ?? [],
    pinned: turn.model ?? journal.born.model,
    preferred: workspace?.defaultModel ?? null,
    preferredProviderId: workspace?.defaultProviderId ?? null,
    inputTokens: selectContext(historyTo(journal, turn, null), null).usedTokens,
    configuration: configuration.from,
    isShared,
  });
  const notes = configuration.lost.map(({ scope, displayName }) =>
    lostKey(isHidden({ isPersonal: scope === "user" }, isShared) ? SOMEBODYS_OWN : `"${displayName}"`),
  );
  return {
    receipt: choice.receipt,
    error: choice.error && { ...choice.error, message: [...notes, choice.error.message].join(" ") },
    notes,
    configuration,
    candidates: choice.candidates.flatMap((candidate) => {
      const instance = instances.find((each) => each.id === candidate.instanceId);
      return instance ? [{ ...candidate, instance }] : [];
    }),
  };
}

const lostKey = (who: string): string =>
  `${who} cannot be asked while the database is away: what this conversation remembers of its key is sealed under one that CREDENTIALS_KEYS does not have any more. Try again when the database is back.`;

/**
 * The plan, with whoever is asked first as its first: a turn that is taken up again `staysWith` its model. One at a time
 * tries a provider that may be well again; for everybody else it is still down.
 */
function chooseTried(
  health: Room["services"]["health"],
  known: readonly ProviderInstance[],
  staysWith: string | undefined,
  facts: Omit<ChoiceFacts, "instances">,
): Choice {
  let instances = known;
  while (true) {
    const choice = chooseModel({ ...facts, instances });
    const candidates = keepFirst(choice.candidates, staysWith);
    const first = instances.find(({ id }) => id === candidates[0]?.instanceId);
    if (first?.breaker !== "half-open" || first.health === "down" || health.trial(first))
      return { ...choice, candidates };
    instances = instances.map((each) => (each === first ? { ...each, health: "down" } : each));
  }
}

/** Writes that the turn has begun, with its receipt, and tells everyone. */
export function startTurn(room: Room, running: RunningTurn, planned: PlannedTurn): void {
  const { journal } = room;
  const { receipt, candidates } = planned;
  const window = candidates[0]?.model.contextWindow;
  const logged = journal.transact(() => {
    room.configuration.keep(planned.configuration, namesAsked(running, candidates[0]));
    journal.setMeta("receipt", JSON.stringify(receipt));
    if (window) journal.setMeta("window", String(window));
    const begun = beginTurn(room, running.turn, receipt, running.startedAtMs);
    room.turns.save(running.turn.id, running.answer.parts, running.progress);
    return begun;
  });
  running.turn = { ...running.turn, state: "running", receipt };
  publish(room, logged);
  broadcastSession(room);
}

/** By the name that was given and the one that it is kept by: what can be asked again without a database. */
const namesAsked = ({ turn }: RunningTurn, first: Candidate | undefined): string[] => [
  ...(turn.model === null ? [] : [turn.model]),
  ...(first ? [`${first.kind}/${first.model.id}`] : []),
];

/** As long as that model can be had. */
function keepFirst(candidates: Candidate[], model: string | undefined): Candidate[] {
  const kept = candidates.filter((candidate) => candidate.model.id === model);
  return [...kept, ...candidates.filter((candidate) => !kept.includes(candidate))];
}
