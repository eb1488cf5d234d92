import { textOf } from "../../../contract/message.ts";
import type {
  ListedModel,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  StreamOptions,
} from "../../../ports/model-provider.ts";
import { answerQuestion, type Passage, type Search, searchOf } from "./answer-question.ts";
import { GUIDE_PASSAGES } from "./guide-content.gen.ts";

export const GUIDE_MODEL = "guide";
/** Lines of `ModelRequest.system` that begin so tell the guide what was tried in vain. */
export const UNREACHABLE_PREFIX = "unreachable:";

const WORDS_PER_CHUNK = 6;

export interface GuideSettings {
  passages?: readonly Passage[];
}

function failuresIn(system: string | undefined): string[] {
  return (system ?? "")
    .split("\n")
    .filter((line) => line.startsWith(UNREACHABLE_PREFIX))
    .map((line) => line.slice(UNREACHABLE_PREFIX.length).trim())
    .filter(Boolean);
}

function questionIn(request: ModelRequest): string {
  return textOf(request.messages.findLast((message) => message.role === "user")?.parts ?? []);
}

function chunksOf(text: string): string[] {
  const words = text.match(/\S*\s*/g)?.filter((word) => word !== "") ?? [];
  return Array.from({ length: Math.ceil(words.length / WORDS_PER_CHUNK) }, (_unused, index) =>
    words.slice(index * WORDS_PER_CHUNK, (index + 1) * WORDS_PER_CHUNK).join(""),
  );
}

/** A turn of the event loop, so that a stop between two chunks is heard. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/**
 * Answers offline from this project's own documents where no model is reachable. It streams like a vendor, costs
 * nothing, counts no tokens and never fails but by being stopped.
 */
export function createGuideProvider({ passages = GUIDE_PASSAGES }: GuideSettings = {}): ModelProvider {
  let search: Search | undefined;

  async function* stream(request: ModelRequest, options: StreamOptions): AsyncGenerator<ModelEvent, void, undefined> {
    search ??= searchOf(passages);
    for (const text of chunksOf(answerQuestion(questionIn(request), failuresIn(request.system), search))) {
      if (options.signal.aborted) {
        const failure = { kind: "aborted" as const, message: "The answer was stopped.", retryable: false };
        yield { type: "failure", failure };
        return;
      }
      yield { type: "text-delta", text };
      await breathe();
    }
    const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
    yield { type: "finish", reason: "stop", usage, model: GUIDE_MODEL, costMicroUsd: 0 };
  }

  return { kind: "guide", models: async (): Promise<ListedModel[]> => [{ id: GUIDE_MODEL }], stream };
}
