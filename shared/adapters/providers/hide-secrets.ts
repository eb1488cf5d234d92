/** Finds what a call is signed in with in whatever comes back: vendors repeat it, as it is or in the forms that servers put it in. */
import type { ModelEvent } from "../../ports/model-provider.ts";

/** What stands for a secret. */
export const HIDDEN = "[secret]";

/** In a sentence on a failure a word too much may be missing. */
const SHORTEST_IN_SENTENCE = 4;
const SHORTEST = 8;
/** Keys of fewer letters and no figure are names for "none", such as `lm-studio`, and headers of that kind are words. */
const SHORTEST_WORD = 20;
/** Less of a base64 text than this says nothing. */
const SHORTEST_ENCODED = 8;

const isNoWord = (secret: string): boolean =>
  secret.length >= SHORTEST && (/\d/.test(secret) || secret.length >= SHORTEST_WORD);

/** What is the same in the base64 of every text with this in it, for each of the three places where it can begin. */
function base64Forms(secret: string): string[] {
  const bytes = String.fromCharCode(...new TextEncoder().encode(secret));
  return [0, 1, 2]
    .map((before) => {
      const encoded = btoa("\0".repeat(before) + bytes);
      return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    })
    .filter((form) => form.length >= SHORTEST_ENCODED)
    .flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  JSON.stringify(secret).slice(1, -1),
  ...base64Forms(secret),
];

/** A header's value may hold more than the secret: `Bearer …`, `name=…`. */
const withParts = (secret: string): string[] => [secret, ...secret.split(/[\s;,=]+/)];

/** In lower case, the longest first. */
function allForms(secrets: readonly string[], isSecret: (secret: string) => boolean): string[] {
  const forms = secrets.flatMap(withParts).filter(isSecret).flatMap(formsOf);
  return [...new Set(forms.map((form) => form.toLowerCase()))].toSorted((a, b) => b.length - a.length);
}

const patternOf = (forms: readonly string[]): RegExp =>
  new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "gi");

function hiding(forms: readonly string[]): (text: string) => string {
  if (forms.length === 0) return (text) => text;
  const pattern = patternOf(forms);
  return (text) => text.replace(pattern, HIDDEN);
}

/** For what a failure says: there also short secrets are hidden. */
export const hideInSentence = (secrets: readonly string[], text: string): string =>
  hiding(allForms(secrets, (secret) => secret.length >= SHORTEST_IN_SENTENCE))(text);

/** For what a vendor says otherwise; what may be a word stays. */
export const hideInText = (secrets: readonly string[], text: string): string =>
  hiding(allForms(secrets, isNoWord))(text);

type Delta = Extract<ModelEvent, { type: "text-delta" | "thinking-delta" | "tool-input-delta" }>;

/** One text that comes in pieces. */
interface Channel {
  /** Its last event, to be told again with other text. */
  delta: Delta;
  /** The end of it, where that may be the beginning of a secret. */
  end: string;
  /** How much of that end was told already, because something else came in between. */
  told: number;
}

const isDelta = (event: ModelEvent): event is Delta => event.type.endsWith("-delta");
const channelOf = (delta: Delta): string => (delta.type === "tool-input-delta" ? `>${delta.callId}` : delta.type);

/** The events of one answer without its secrets, also where one is spread over pieces. Holds back only what may become one. */
export class EventFilter {
  readonly #forms: readonly string[];
  readonly #pattern: RegExp;
  readonly #starts: ReadonlySet<string>;
  readonly #hide: (text: string) => string;
  readonly #channels = new Map<string, Channel>();
  #current: Channel | undefined;

  constructor(secrets: readonly string[]) {
    this.#forms = allForms(secrets, isNoWord);
    this.#pattern = patternOf(this.#forms);
    this.#starts = new Set(this.#forms.flatMap((form) => form.slice(0, 1)));
    this.#hide = hiding(this.#forms);
  }

  /** What may be told now that this came. */
  pass(event: ModelEvent): ModelEvent[] {
    if (this.#forms.length === 0) return [event];
    if (!isDelta(event)) return [...this.flush(), this.#whole(event)];
    const key = channelOf(event);
    const channel = this.#channels.get(key) ?? { delta: event, end: "", told: 0 };
    channel.delta = event;
    const before = this.#current === channel || event.text === "" ? [] : this.flush();
    this.#channels.set(key, channel);
    this.#current = channel;
    channel.end += event.text;
    const text = this.#release(channel, this.#beginning(channel.end));
    return text === "" ? before : [...before, this.#tell(event, text)];
  }

  /** What was held back: it did not become a secret. */
  flush(): ModelEvent[] {
    const channel = this.#current;
    this.#current = undefined;
    if (!channel) return [];
    const { end } = channel;
    const text = this.#release(channel, end.length);
    // Not forgotten: what comes next in this text may make a secret of it all the same.
    if (text === end.slice(end.length - text.length)) Object.assign(channel, { end, told: end.length });
    return text === "" ? [] : [this.#tell(channel.delta, text)];
  }

  /** What may be told of a channel's end up to `held`, or to the end of a secret that reaches over it. */
  #release(channel: Channel, held: number): string {
    const { end: whole } = channel;
    let from = channel.told;
    let until = held;
    let out = "";
    for (const { 0: found, index } of whole.matchAll(this.#pattern)) {
      const end = index + found.length;
      if (end <= from) continue;
      if (index >= until) break;
      out += whole.slice(from, Math.max(from, index)) + HIDDEN;
      from = end;
      until = Math.max(until, end);
    }
    out += whole.slice(from, Math.max(from, until));
    channel.end = whole.slice(until);
    channel.told = Math.max(0, from - until);
    return out;
  }

  /** Where the first end of a text begins that may be the beginning of a secret; its length where there is none. */
  #beginning(text: string): number {
    const longest = this.#forms[0]?.length ?? 0;
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
      if (!this.#starts.has(text.charAt(at).toLowerCase())) continue;
      const end = text.slice(at).toLowerCase();
      if (this.#forms.some((form) => form.length > end.length && form.startsWith(end))) return at;
    }
    return text.length;
  }

  #tell(delta: Delta, text: string): ModelEvent {
    if (delta.type !== "tool-input-delta") return { ...delta, text };
    return { ...delta, callId: this.#hide(delta.callId), name: this.#hide(delta.name), text };
  }

  #whole(event: Exclude<ModelEvent, Delta>): ModelEvent {
    switch (event.type) {
      case "thinking-end":
        return {
          ...event,
          ...(event.signature === undefined ? {} : { signature: this.#hide(event.signature) }),
          ...(event.redacted === undefined ? {} : { redacted: this.#hide(event.redacted) }),
        };
      case "tool-call": {
        const { callId, name, input } = event;
        return { ...event, callId: this.#hide(callId), name: this.#hide(name), input: this.#deep(input) };
      }
      case "finish":
        return { ...event, model: this.#hide(event.model) };
      case "failure":
        return event;
    }
  }

  /** JSON, with the same in all its texts and names. */
  #deep(value: unknown): unknown {
    if (typeof value === "string") return this.#hide(value);
    if (Array.isArray(value)) return value.map((each) => this.#deep(each));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [this.#hide(name), this.#deep(each)]));
  }
}
