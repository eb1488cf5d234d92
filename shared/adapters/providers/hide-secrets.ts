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

/** As long as the text, whatever letters it has. */
function inLowerCase(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

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
  /** By their first two characters, and by the first alone for the end of a text; the longest first. */
  readonly #forms: ReadonlyMap<string, readonly string[]>;
  readonly #channels = new Map<string, Channel>();
  #current: Channel | undefined;

  constructor(secrets: readonly string[]) {
    const forms = allForms(secrets, isNoWord);
    const keyed = forms.flatMap((form) => [1, 2].map((length) => ({ form, key: form.slice(0, length) })));
    const byKey = Map.groupBy(keyed, ({ key }) => key);
    this.#forms = new Map([...byKey].map(([key, all]) => [key, all.map(({ form }) => form)]));
  }

  /** What may be told now that this came. */
  pass(event: ModelEvent): ModelEvent[] {
    if (this.#forms.size === 0) return [event];
    if (!isDelta(event)) return [...this.flush(), this.#whole(event)];
    const key = channelOf(event);
    const channel = this.#channels.get(key) ?? { delta: event, end: "", told: 0 };
    channel.delta = event;
    const before = this.#current === channel || event.text === "" ? [] : this.flush();
    this.#channels.set(key, channel);
    this.#current = channel;
    channel.end += event.text;
    const text = this.#release(channel, false);
    return text === "" ? before : [...before, this.#tell(event, text)];
  }

  /** What was held back: it did not become a secret. */
  flush(): ModelEvent[] {
    const channel = this.#current;
    this.#current = undefined;
    if (!channel) return [];
    const { end } = channel;
    const text = this.#release(channel, true);
    // Not forgotten: what comes next in this text may make a secret of it all the same.
    if (text === end.slice(end.length - text.length)) Object.assign(channel, { end, told: end.length });
    return text === "" ? [] : [this.#tell(channel.delta, text)];
  }

  /** What may be told of a channel's end; with `all` also what may be the beginning of a secret. */
  #release(channel: Pick<Channel, "end" | "told">, all: boolean): string {
    const { end: whole } = channel;
    const lower = inLowerCase(whole);
    let from = channel.told;
    let out = "";
    let at = 0;
    for (; at < whole.length; at += 1) {
      const found = this.#at(lower, at, all);
      if (found === "beginning") break;
      if (found === null) continue;
      const end = at + found;
      if (end > from) {
        out += whole.slice(from, Math.max(from, at)) + HIDDEN;
        from = end;
      }
      at = end - 1;
    }
    out += whole.slice(from, Math.max(from, at));
    channel.end = whole.slice(at);
    channel.told = Math.max(0, from - at);
    return out;
  }

  /** How long the secret is that stands there, or, unless `all` is wanted, that the text may end inside one. */
  #at(lower: string, at: number, all: boolean): number | "beginning" | null {
    let found: number | null = null;
    for (const form of this.#forms.get(lower.slice(at, at + 2)) ?? []) {
      if (found === null && lower.startsWith(form, at)) found = form.length;
      if (!all && at + form.length > lower.length && form.startsWith(lower.slice(at))) return "beginning";
    }
    return found;
  }

  #hide(text: string): string {
    return this.#forms.size === 0 ? text : this.#release({ end: text, told: 0 }, true);
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
