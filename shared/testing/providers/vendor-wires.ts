/** What each vendor's stream looks like on the wire, written from their public formats. One string is one event or line. */
export interface VendorWire {
  contentType: string;
  /** A whole answer: its opening, one event per text, its end. */
  answer(texts: readonly string[]): string[];
  /** Cached tokens of that answer, where the vendor counts them. */
  cachedTokens: number;
  /** A whole answer that thinks in two pieces, then says "Done.". */
  thinking(text: string): string[];
  /** What proves that thinking and must come back to the vendor; null where it has no such thing. */
  signature: string | null;
  /** A whole answer of two calls at once: `weather` for a city, in pieces where the vendor has them, and `clock`. */
  calls: string[];
  /** A whole answer that ends like this; null where the vendor knows no such end. */
  ending(reason: "length" | "refusal"): string[] | null;
  /** An image as the request must carry it, or the fields of it. */
  image(mediaType: string, data: string): Record<string, unknown>;
  /** One whole event that is not JSON. */
  garbage: string;
  /** An event the vendor may add any day. */
  unknownEvent: string;
  /** A failure after the stream began. */
  inStreamError: string;
}

const sse = (name: string | null, data: unknown): string =>
  `${name === null ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const typed = (type: string, fields: Record<string, unknown> = {}): string => sse(type, { type, ...fields });

const anthropicStart = typed("message_start", {
  message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], usage: { input_tokens: 1 } },
});
const anthropicEnd = (stop_reason: string): string =>
  typed("message_delta", { delta: { stop_reason }, usage: { output_tokens: 7 } }) + typed("message_stop");
const block = (index: number, content_block: unknown): string => typed("content_block_start", { index, content_block });
const delta = (index: number, fields: unknown): string => typed("content_block_delta", { index, delta: fields });
const stop = (index: number): string => typed("content_block_stop", { index });

export const ANTHROPIC_WIRE: VendorWire = {
  contentType: "text/event-stream; charset=utf-8",
  answer: (texts) => [
    typed("message_start", {
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "m",
        content: [],
        usage: { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 1 },
      },
    }) +
      typed("ping") +
      typed("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...texts.map((text) => typed("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
    typed("content_block_stop", { index: 0 }) +
      typed("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } }) +
      typed("message_stop"),
  ],
  cachedTokens: 5,
  thinking: (text) => [
    anthropicStart,
    block(0, { type: "thinking", thinking: "", signature: "" }),
    delta(0, { type: "thinking_delta", thinking: text.slice(0, 2) }),
    delta(0, { type: "thinking_delta", thinking: text.slice(2) }),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    stop(0),
    block(1, { type: "text", text: "" }) + delta(1, { type: "text_delta", text: "Done." }) + stop(1),
    anthropicEnd("end_turn"),
  ],
  signature: "c2ln",
  calls: [
    anthropicStart,
    block(0, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
    delta(0, { type: "input_json_delta", partial_json: '{"city": "Z' }),
    delta(0, { type: "input_json_delta", partial_json: 'ürich"}' }),
    stop(0),
    block(1, { type: "tool_use", id: "toolu_2", name: "clock", input: {} }) + stop(1),
    anthropicEnd("tool_use"),
  ],
  ending: (reason) => [anthropicStart, anthropicEnd(reason === "length" ? "max_tokens" : "refusal")],
  image: (media_type, data) => ({ type: "image", source: { type: "base64", media_type, data } }),
  garbage: "event: content_block_delta\ndata: {nonsense\n\n",
  unknownEvent: typed("weather_report", { index: 0, forecast: "rain" }),
  inStreamError: typed("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
};

const responseCall = (output_index: number, name: string, pieces: readonly string[]): string[] => {
  const item = { type: "function_call", id: `fc_${output_index}`, call_id: `call_${output_index}`, name };
  return [
    typed("response.output_item.added", { output_index, item: { ...item, arguments: "" } }),
    ...pieces.map((piece) =>
      typed("response.function_call_arguments.delta", { output_index, item_id: item.id, delta: piece }),
    ),
    typed("response.output_item.done", { output_index, item: { ...item, arguments: pieces.join("") } }),
  ];
};

const responseOf = (status: string) => ({
  id: "resp_1",
  model: "m",
  status,
  output: [],
  error: null,
  incomplete_details: null,
  usage: { input_tokens: 17, input_tokens_details: { cached_tokens: 5 }, output_tokens: 7 },
});

export const RESPONSES_WIRE: VendorWire = {
  contentType: "text/event-stream",
  answer: (texts) => [
    typed("response.created", { response: responseOf("in_progress") }),
    ...texts.map((delta) =>
      typed("response.output_text.delta", { item_id: "i", output_index: 0, content_index: 0, delta }),
    ),
    typed("response.completed", { response: responseOf("completed") }),
  ],
  cachedTokens: 5,
  thinking: (text) => [
    typed("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: text.slice(0, 2) }),
    typed("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: text.slice(2) }),
    typed("response.output_item.done", {
      output_index: 0,
      item: { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "c2ln" },
    }),
    typed("response.output_text.delta", { output_index: 1, content_index: 0, delta: "Done." }),
    typed("response.completed", { response: responseOf("completed") }),
  ],
  signature: "c2ln",
  calls: [
    ...responseCall(0, "weather", ['{"city": "Z', 'ürich"}']),
    ...responseCall(1, "clock", ["{}"]),
    typed("response.completed", { response: responseOf("completed") }),
  ],
  ending: (reason) => [
    typed("response.incomplete", {
      response: {
        ...responseOf("incomplete"),
        incomplete_details: { reason: reason === "length" ? "max_output_tokens" : "content_filter" },
      },
    }),
  ],
  image: (mediaType, data) => ({
    type: "input_image",
    detail: "auto",
    image_url: `data:${mediaType};base64,${data}`,
  }),
  garbage: "event: response.output_text.delta\ndata: {nonsense\n\n",
  unknownEvent: typed("response.weather_report", { forecast: "rain" }),
  inStreamError: typed("response.failed", {
    response: { ...responseOf("failed"), error: { code: "server_is_overloaded", message: "Overloaded" } },
  }),
};

const chunk = (fields: Record<string, unknown>): string =>
  sse(null, { id: "c", object: "chat.completion.chunk", model: "m", ...fields });
const choice = (delta: Record<string, unknown>, finish_reason: string | null = null): string =>
  chunk({ choices: [{ index: 0, delta, finish_reason }] });

export const CHAT_WIRE: VendorWire = {
  contentType: "text/event-stream",
  answer: (texts) => [
    `: PROCESSING\n\n${choice({ role: "assistant", content: "" })}`,
    ...texts.map((content) => choice({ content })),
    choice({}, "stop") +
      chunk({
        choices: [],
        usage: { prompt_tokens: 17, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 5 } },
      }) +
      "data: [DONE]\n\n",
  ],
  cachedTokens: 5,
  thinking: (text) => [
    choice({ role: "assistant", reasoning_content: text.slice(0, 2) }),
    choice({ reasoning_content: text.slice(2) }),
    choice({ content: "Done." }),
    `${choice({}, "stop")}data: [DONE]\n\n`,
  ],
  signature: null,
  calls: [
    choice({
      role: "assistant",
      tool_calls: [
        { index: 0, id: "call_a", type: "function", function: { name: "weather", arguments: '{"city": "Z' } },
      ],
    }),
    choice({ tool_calls: [{ index: 0, function: { arguments: 'ürich"}' } }] }),
    choice({
      tool_calls: [{ index: 1, id: "call_b", type: "function", function: { name: "clock", arguments: "{}" } }],
    }),
    `${choice({}, "tool_calls")}data: [DONE]\n\n`,
  ],
  ending: (reason) => [`${choice({}, reason === "length" ? "length" : "content_filter")}data: [DONE]\n\n`],
  image: (mediaType, data) => ({ type: "image_url", image_url: { url: `data:${mediaType};base64,${data}` } }),
  garbage: "data: {nonsense\n\n",
  unknownEvent: sse(null, { object: "weather.report", forecast: "rain" }),
  inStreamError: sse(null, {
    error: { code: 529, message: "Overloaded" },
    choices: [{ delta: {}, finish_reason: "error" }],
  }),
};

const line = (fields: Record<string, unknown>): string => `${JSON.stringify({ model: "m", ...fields })}\n`;

export const OLLAMA_WIRE: VendorWire = {
  contentType: "application/x-ndjson",
  answer: (texts) => [
    line({ message: { role: "assistant", content: "" }, done: false }),
    ...texts.map((content) => line({ message: { role: "assistant", content }, done: false })),
    line({ message: { content: "" }, done: true, done_reason: "stop", prompt_eval_count: 17, eval_count: 7 }),
  ],
  cachedTokens: 0,
  thinking: (text) => [
    line({ message: { role: "assistant", thinking: text.slice(0, 2) }, done: false }),
    line({ message: { role: "assistant", thinking: text.slice(2) }, done: false }),
    line({ message: { role: "assistant", content: "Done." }, done: false }),
    line({ message: { content: "" }, done: true, done_reason: "stop" }),
  ],
  signature: null,
  calls: [
    line({
      message: {
        tool_calls: [
          { function: { name: "weather", arguments: { city: "Zürich" } } },
          { function: { name: "clock", arguments: {} } },
        ],
      },
      done: false,
    }),
    line({ message: { content: "" }, done: true, done_reason: "stop" }),
  ],
  ending: (reason) => (reason === "length" ? [line({ message: {}, done: true, done_reason: "length" })] : null),
  image: (_mediaType, data) => ({ images: [data] }),
  garbage: "{nonsense\n",
  unknownEvent: line({ forecast: "rain" }),
  inStreamError: line({ error: "the server is overloaded" }),
};
