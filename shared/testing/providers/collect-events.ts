import type { ModelEvent, ModelProvider, ModelRequest, StreamOptions } from "../../ports/model-provider.ts";

/** A request of one user message. */
export const ask = (model: string, text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model,
  messages: [{ role: "user", parts: [{ type: "text", text }] }],
  ...more,
});

export async function collect(
  provider: ModelProvider,
  request: ModelRequest,
  options: Partial<StreamOptions> = {},
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of provider.stream(request, { signal: new AbortController().signal, ...options }))
    events.push(event);
  return events;
}

export const textOfEvents = (events: readonly ModelEvent[]): string =>
  events.flatMap((event) => (event.type === "text-delta" ? [event.text] : [])).join("");

export const thinkingOfEvents = (events: readonly ModelEvent[]): string =>
  events.flatMap((event) => (event.type === "thinking-delta" ? [event.text] : [])).join("");

/** The failure at the end, and proof that it is the only end. */
export function failureOfEvents(events: readonly ModelEvent[]) {
  const ends = events.filter((event) => event.type === "finish" || event.type === "failure");
  const last = events.at(-1);
  if (ends.length !== 1 || last?.type !== "failure")
    throw new Error(`no single failure at the end: ${JSON.stringify(events)}`);
  return last.failure;
}

export function finishOfEvents(events: readonly ModelEvent[]) {
  const ends = events.filter((event) => event.type === "finish" || event.type === "failure");
  const last = events.at(-1);
  if (ends.length !== 1 || last?.type !== "finish")
    throw new Error(`no single finish at the end: ${JSON.stringify(events)}`);
  return last;
}
