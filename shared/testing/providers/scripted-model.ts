import type { FinishReason } from "../../contract/message.ts";
import type { ProviderKind } from "../../contract/model.ts";
import type { ModelEvent, ModelRequest, ProviderErrorKind, StreamOptions } from "../../ports/model-provider.ts";
import type { ProviderInstance } from "../../ports/provider-directory.ts";
import { aModel } from "../builders.ts";

export const STEP_USAGE = { inputTokens: 10, outputTokens: 5, cachedTokens: 0 };

/** One request that a test answers by hand. */
export class ScriptedAnswer {
  readonly request: ModelRequest;
  readonly options: StreamOptions;
  readonly #events: ModelEvent[] = [];
  #wake = (): void => {};

  constructor(request: ModelRequest, options: StreamOptions) {
    this.request = request;
    this.options = options;
  }

  push(...events: ModelEvent[]): this {
    this.#events.push(...events);
    this.#wake();
    return this;
  }

  text(text: string): this {
    return this.push({ type: "text-delta", text });
  }

  call(callId: string, name: string, input: unknown = {}): this {
    return this.push({ type: "tool-call", callId, name, input });
  }

  finish(reason: FinishReason = "stop"): this {
    return this.push({ type: "finish", reason, usage: STEP_USAGE, model: this.request.model });
  }

  fail(kind: ProviderErrorKind, usage?: typeof STEP_USAGE): this {
    const failure = { kind, message: `It failed: ${kind}. Try again, or choose another model.`, retryable: true };
    return this.push({ type: "failure", failure, ...(usage ? { usage } : {}) });
  }

  /** The prompt as `role: words` lines, tool calls and results by their names and outputs. */
  get prompt(): string[] {
    return this.request.messages.map(({ role, parts }) => {
      const words = parts.map((part) => {
        if (part.type === "text" || part.type === "thinking") return part.text;
        if (part.type === "tool-call") return `call ${part.name}`;
        return part.type === "tool-result" ? `result ${JSON.stringify(part.output)}` : part.type;
      });
      return `${role}: ${words.join(" | ")}`;
    });
  }

  async *events(): AsyncGenerator<ModelEvent, void, undefined> {
    while (true) {
      const event = this.#events.shift();
      if (event) yield event;
      if (event?.type === "finish" || event?.type === "failure") return;
      if (event) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export interface ScriptedModel {
  instance: ProviderInstance;
  /** The requests that came, oldest first. */
  asked: ScriptedAnswer[];
}

/** A provider whose answers a test writes by hand; it ignores aborts, as the worst ones do. */
export function aScriptedModel(kind: ProviderKind, name: string): ScriptedModel {
  const asked: ScriptedAnswer[] = [];
  const instance: ProviderInstance = {
    id: `test:${name}`,
    kind,
    version: 1,
    displayName: name,
    health: "healthy",
    breaker: "closed",
    trouble: null,
    isDefault: false,
    isPersonal: false,
    models: [aModel({ providerId: `test:${name}`, provider: kind, id: name, name, aliases: [] })],
    provider: {
      kind,
      models: async () => [],
      stream(request, options) {
        const answer = new ScriptedAnswer(request, options);
        asked.push(answer);
        return answer.events();
      },
    },
  };
  return { instance, asked };
}
