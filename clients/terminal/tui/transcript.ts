import { type Component, Container, Spacer, Text, truncateToWidth } from "@earendil-works/pi-tui";
import type { ViewMessage } from "../../../shared/client/view-state.ts";
import { plainText } from "../plain-text.ts";
import { messageBlock } from "./message-block.ts";
import type { Theme } from "./theme.ts";

/** More would make every redraw of the terminal slow; the rest is in the browser and in `/export`. */
const SHOWN_MESSAGES = 100;

interface Built {
  message: ViewMessage;
  expanded: boolean;
  block: Component;
}

/** The conversation above the editor. Only messages that changed are laid out again. */
export class Transcript implements Component {
  readonly #theme: Theme;
  #messages: readonly ViewMessage[] = [];
  #built = new Map<string, Built>();
  /** What was said here and is not part of the conversation: command results, notices. */
  readonly #asides: { afterId: string | null; block: Component }[] = [];
  #expanded = false;

  constructor(theme: Theme) {
    this.#theme = theme;
  }

  setMessages(messages: readonly ViewMessage[]): void {
    this.#messages = messages;
  }

  toggleThinking(): void {
    this.#expanded = !this.#expanded;
  }

  addAside(text: string, kind: "plain" | "dim" | "warning" | "failure" = "plain"): void {
    const style = kind === "plain" ? (line: string) => line : this.#theme[kind];
    const block = new Container();
    block.addChild(new Text(style(plainText(text).trimEnd()), 1, 0));
    block.addChild(new Spacer(1));
    this.#asides.push({ afterId: this.#messages.at(-1)?.id ?? null, block });
  }

  invalidate(): void {
    this.#built.clear();
  }

  render(width: number): string[] {
    const shown = this.#messages.slice(-SHOWN_MESSAGES);
    const hidden = this.#messages.length - shown.length;
    const built = new Map<string, Built>();
    const lines = hidden > 0 ? [truncateToWidth(this.#theme.dim(` … ${hidden} earlier messages`), width), ""] : [];
    const ids = new Set(shown.map(({ id }) => id));
    lines.push(...this.#asidesAfter((id) => id === null || (hidden > 0 && !ids.has(id)), width));
    for (const message of shown) {
      const block = this.#blockOf(message);
      built.set(message.id, block);
      lines.push(...block.block.render(width), ...this.#asidesAfter((id) => id === message.id, width));
    }
    if (hidden === 0) lines.push(...this.#asidesAfter((id) => id !== null && !ids.has(id), width));
    this.#built = built;
    return lines;
  }

  #blockOf(message: ViewMessage): Built {
    const known = this.#built.get(message.id);
    if (known && known.message === message && known.expanded === this.#expanded) return known;
    const block = messageBlock(message, this.#theme, this.#expanded);
    return { message, expanded: this.#expanded, block };
  }

  #asidesAfter(belongs: (id: string | null) => boolean, width: number): string[] {
    return this.#asides.filter(({ afterId }) => belongs(afterId)).flatMap(({ block }) => block.render(width));
  }
}
