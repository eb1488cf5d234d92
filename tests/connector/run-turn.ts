/** One turn over REST, as its stream of frames. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { ServerFrame } from "../../shared/contract/frames.ts";
import { textOf } from "../../shared/contract/message.ts";
import { MODEL } from "./fake-ollama.ts";
import type { Person } from "./stage.ts";

const Conversation = z.object({ id: z.string() });

/** The frames of one turn, as they come; without a model whatever the person's providers prefer. */
export async function* turn(person: Person, model: string | null = MODEL): AsyncGenerator<ServerFrame> {
  const { id } = Conversation.parse(await (await person.request("POST", "/api/conversations", {})).json());
  const { url, authorization } = person.account;
  const response = await fetch(`${url}/api/conversations/${id}/messages`, {
    method: "POST",
    headers: { ...authorization, accept: "text/event-stream", "content-type": "application/json", origin: url },
    body: JSON.stringify({ id: randomUUID(), text: "Tell me something long.", ...(model !== null && { model }) }),
  });
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`);
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${chunk}`.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      if (data) yield ServerFrame.parse(JSON.parse(data));
    }
  }
}

export type Event = Extract<ServerFrame, { type: "event" }>["event"];

/** Runs a turn; `onDelta` sees how much of the answer there is. @returns its events */
export async function run(
  person: Person,
  onDelta: (characters: number) => void = () => {},
  model: string | null = MODEL,
): Promise<Event[]> {
  const events: Event[] = [];
  let characters = 0;
  for await (const frame of turn(person, model)) {
    if (frame.type === "event") events.push(frame.event);
    if (frame.type !== "message:delta") continue;
    characters += frame.text.length;
    onDelta(characters);
  }
  return events;
}

export function answerIn(events: readonly Event[]): string {
  const completed = events.find((event) => event.type === "turn:completed");
  if (completed?.type !== "turn:completed")
    throw new Error(`the turn did not complete: ${JSON.stringify(events.at(-1))}`);
  return textOf(completed.message.parts);
}

export const kinds = (events: readonly Event[]): string[] => events.map(({ type }) => type);
