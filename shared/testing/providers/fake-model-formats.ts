/** The three wire formats the fake model server speaks, as text to write. */
import type { IncomingHttpHeaders } from "node:http";

export interface Behaviour {
  /** The reply's text, or what to make of the request. Default: `You said: ` and the last user message. */
  reply?: string | ((request: FakeRequest) => string);
  /** A reply of so many numbered words instead of `reply`. */
  tokens?: number;
  /** Milliseconds before each token. */
  delayMs?: number;
  /** Called right before each token is written; not over the control door of the workerd tests. */
  onToken?: () => void;
  /** Milliseconds before the headers. */
  headersDelayMs?: number;
  thinking?: string;
  toolCalls?: { name: string; input: unknown }[];
  finish?: "stop" | "length" | "refusal";
  /** Answers with this status and a vendor-shaped error instead. */
  status?: number;
  retryAfterSeconds?: number;
  /** Never sends headers. */
  hangBeforeHeaders?: boolean;
  /** Sends so many tokens and then nothing more; the connection stays open. */
  hangAfterTokens?: number;
  /** Sends so many tokens and then destroys the connection. */
  cutAfterTokens?: number;
}

export interface FakeRequest {
  path: string;
  model: string;
  /** Text of the last user message. */
  lastUserText: string;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  /** Whether the client left before the answer's end. */
  aborted: boolean;
  /** Tokens written so far. */
  tokensSent: number;
}

export interface Answer {
  model: string;
  behaviour: Behaviour;
  inputTokens: number;
}

export interface WireFormat {
  open(answer: Answer): string;
  token(word: string, answer: Answer): string;
  close(answer: Answer, tokens: number): string;
  whole(text: string, answer: Answer, tokens: number): unknown;
  error(status: number): unknown;
}

const event = (name: string, data: Record<string, unknown>): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};
const errorBody = (status: number) => ({
  type: "error",
  error: { type: ERROR_TYPES[status] ?? "api_error", message: `The fake answers ${status}.` },
});

const ANTHROPIC_STOP = { stop: "end_turn", length: "max_tokens", refusal: "refusal" } as const;
const OPENAI_STOP = { stop: "stop", length: "length", refusal: "content_filter" } as const;

const textIndex = ({ thinking }: Behaviour): number => (thinking === undefined ? 0 : 1);

const anthropic: WireFormat = {
  open: ({ model, behaviour, inputTokens }) => {
    const usage = {
      input_tokens: inputTokens,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    };
    const message = {
      id: "msg_fake",
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      usage,
    };
    const thinking =
      behaviour.thinking === undefined
        ? ""
        : event("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "", signature: "" } }) +
          event("content_block_delta", { index: 0, delta: { type: "thinking_delta", thinking: behaviour.thinking } }) +
          event("content_block_delta", { index: 0, delta: { type: "signature_delta", signature: "ZmFrZQ==" } }) +
          event("content_block_stop", { index: 0 });
    const start = { index: textIndex(behaviour), content_block: { type: "text", text: "" } };
    return event("message_start", { message }) + thinking + event("content_block_start", start);
  },
  token: (text, { behaviour }) =>
    event("content_block_delta", { index: textIndex(behaviour), delta: { type: "text_delta", text } }),
  close: ({ behaviour }, tokens) => {
    const first = textIndex(behaviour);
    const calls = (behaviour.toolCalls ?? []).map(({ name, input }, position) => {
      const index = first + 1 + position;
      const block = { type: "tool_use", id: `toolu_${position}`, name, input: {} };
      const delta = { type: "input_json_delta", partial_json: JSON.stringify(input) };
      return (
        event("content_block_start", { index, content_block: block }) +
        event("content_block_delta", { index, delta }) +
        event("content_block_stop", { index })
      );
    });
    const stop_reason = behaviour.toolCalls?.length ? "tool_use" : ANTHROPIC_STOP[behaviour.finish ?? "stop"];
    return [
      event("content_block_stop", { index: first }),
      ...calls,
      event("message_delta", { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: tokens } }),
      event("message_stop", {}),
    ].join("");
  },
  whole: (text, { model, behaviour, inputTokens }, tokens) => ({
    id: "msg_fake",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text }],
    stop_reason: ANTHROPIC_STOP[behaviour.finish ?? "stop"],
    usage: { input_tokens: inputTokens, output_tokens: tokens },
  }),
  error: errorBody,
};

const chunk = ({ model }: Answer, delta: Record<string, unknown>, finish_reason: string | null = null): string =>
  data({ id: "chatcmpl-fake", object: "chat.completion.chunk", model, choices: [{ index: 0, delta, finish_reason }] });

const chat: WireFormat = {
  open: (answer) => {
    const { thinking } = answer.behaviour;
    return (
      chunk(answer, { role: "assistant" }) +
      (thinking === undefined ? "" : chunk(answer, { reasoning_content: thinking }))
    );
  },
  token: (content, answer) => chunk(answer, { content }),
  close: (answer, tokens) => {
    const { toolCalls, finish } = answer.behaviour;
    const calls = (toolCalls ?? []).map(({ name, input }, index) => ({
      index,
      id: `call_${index}`,
      type: "function",
      function: { name, arguments: JSON.stringify(input) },
    }));
    const reason = calls.length > 0 ? "tool_calls" : OPENAI_STOP[finish ?? "stop"];
    const usage = {
      prompt_tokens: answer.inputTokens,
      completion_tokens: tokens,
      total_tokens: answer.inputTokens + tokens,
    };
    return [
      calls.length > 0 ? chunk(answer, { tool_calls: calls }) : "",
      chunk(answer, {}, reason),
      data({ id: "chatcmpl-fake", object: "chat.completion.chunk", model: answer.model, choices: [], usage }),
      "data: [DONE]\n\n",
    ].join("");
  },
  whole: (content, { model, behaviour, inputTokens }, tokens) => ({
    id: "chatcmpl-fake",
    object: "chat.completion",
    model,
    choices: [
      { index: 0, message: { role: "assistant", content }, finish_reason: OPENAI_STOP[behaviour.finish ?? "stop"] },
    ],
    usage: { prompt_tokens: inputTokens, completion_tokens: tokens, total_tokens: inputTokens + tokens },
  }),
  error: errorBody,
};

const response = ({ model, behaviour, inputTokens }: Answer, status: string, tokens: number) => ({
  id: "resp_fake",
  object: "response",
  model,
  status,
  output: [],
  error: null,
  incomplete_details: behaviour.finish === "length" ? { reason: "max_output_tokens" } : null,
  usage: { input_tokens: inputTokens, input_tokens_details: { cached_tokens: 0 }, output_tokens: tokens },
});

const responses: WireFormat = {
  open: (answer) => event("response.created", { response: response(answer, "in_progress", 0) }),
  token: (delta) => event("response.output_text.delta", { item_id: "msg", output_index: 0, content_index: 0, delta }),
  close: (answer, tokens) => {
    const calls = (answer.behaviour.toolCalls ?? []).map(({ name, input }, position) => {
      const item = {
        type: "function_call",
        id: `fc_${position}`,
        call_id: `call_${position}`,
        name,
        arguments: JSON.stringify(input),
      };
      const output_index = 1 + position;
      return (
        event("response.output_item.added", { output_index, item: { ...item, arguments: "" } }) +
        event("response.function_call_arguments.delta", { output_index, item_id: item.id, delta: item.arguments }) +
        event("response.output_item.done", { output_index, item })
      );
    });
    const refusal =
      answer.behaviour.finish === "refusal" ? event("response.refusal.delta", { output_index: 0, delta: "" }) : "";
    const status = answer.behaviour.finish === "length" ? "incomplete" : "completed";
    return [...calls, refusal, event(`response.${status}`, { response: response(answer, status, tokens) })].join("");
  },
  whole: (text, answer, tokens) => ({
    ...response(answer, "completed", tokens),
    output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
  }),
  error: errorBody,
};

/** Which format a path speaks. */
export function formatOf(path: string): WireFormat | undefined {
  if (path.endsWith("/messages")) return anthropic;
  if (path.endsWith("/chat/completions")) return chat;
  return path.endsWith("/responses") ? responses : undefined;
}
