import type { Message } from "../../shared/contract/message.ts";
import { messageTokens, selectContext } from "../../shared/domain/context/select.ts";
import type { ModelRequest } from "../../shared/domain/model/model-request.ts";
import { buildRequest } from "../../shared/domain/prompt/build-request.ts";
import { withSteering } from "../../shared/domain/prompt/order-history.ts";
import type { Candidate } from "../../shared/domain/routing/choose-model.ts";
import { GUIDE_NOTE } from "../../shared/domain/turn/after-failure.ts";
import { historyTo } from "./history.ts";
import type { Room } from "./room.ts";
import type { RunningTurn } from "./running-turn.ts";

/**
 * What one step of a turn asks a model: the history, the question, the answer so far with what came in between; and an
 * estimate of how much that is to read.
 */
export function stepRequest(
  room: Pick<Room, "journal" | "services">,
  running: Pick<RunningTurn, "turn" | "answer" | "progress">,
  candidate: Candidate,
  failures: readonly string[],
): { request: ModelRequest; inputTokens: number } {
  const { turn, answer, progress } = running;
  const window = candidate.model.contextWindow;
  const soFar = answerSoFar(room, running, candidate);
  const taken = soFar.reduce((sum, message) => sum + messageTokens(message), 0);
  const context = selectContext(historyTo(room.journal, turn, window), window, taken);
  const notes = failures.map((failure) => `${GUIDE_NOTE}${failure}`);
  const request = buildRequest({
    model: candidate.model.id,
    provider: candidate.kind,
    capabilities: candidate.model.capabilities,
    messages: [...context.messages, ...soFar],
    maxOutputTokens: candidate.model.maxOutputTokens,
    isCut: answer.parts.length > progress.stepStart,
    ...(candidate.model.capabilities.tools ? { tools: room.services.tools.definitions() } : {}),
    ...(candidate.kind === "guide" && notes.length > 0 ? { system: notes.join("\n") } : {}),
  });
  return { request, inputTokens: context.usedTokens + taken };
}

function answerSoFar(
  { journal }: Pick<Room, "journal">,
  { turn, answer, progress }: Pick<RunningTurn, "turn" | "answer" | "progress">,
  candidate: Candidate,
): Message[] {
  const { steered } = progress;
  if (answer.parts.length === 0 && steered.length === 0) return [];
  const question = journal.message(turn.replyTo)?.message;
  if (!question) return [];
  const steering = steered.flatMap(({ messageId }) => {
    const stored = journal.message(messageId);
    return stored && !stored.deleted ? [[messageId, stored.message] as const] : [];
  });
  const written: Message = {
    ...question,
    id: turn.messageId,
    role: "assistant",
    parts: answer.parts,
    metadata: {
      provider: candidate.kind,
      steeredBy: steered.map((each) => each.messageId),
      steeredAt: steered.map((each) => each.afterParts),
    },
  };
  // The parts still grow, and what is known of them must not be remembered.
  return withSteering({ ...written, parts: [...answer.parts] }, new Map(steering));
}
