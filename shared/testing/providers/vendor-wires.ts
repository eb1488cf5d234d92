/** What each vendor's stream looks like on the wire, written from their public formats. One string is one event or line. */
export interface VendorWire {
  contentType: string;
  /** A whole answer: its opening, one event per text, its end. */
  answer(texts: readonly string[]): string[];
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
  garbage: "event: content_block_delta\ndata: {nonsense\n\n",
  unknownEvent: typed("weather_report", { index: 0, forecast: "rain" }),
  inStreamError: typed("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
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
  garbage: "{nonsense\n",
  unknownEvent: line({ forecast: "rain" }),
  inStreamError: line({ error: "the server is overloaded" }),
};
