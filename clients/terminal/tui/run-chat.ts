import {
  Editor,
  matchesKey,
  ProcessTerminal,
  setCapabilityOverrides,
  Text,
  TuiMainScreen,
} from "@earendil-works/pi-tui";
import { ApiError } from "../../../shared/client/api-error.ts";
import type { ConversationClient } from "../../../shared/client/conversation-client.ts";
import { type ConversationStore, createConversationStore } from "../../../shared/client/conversation-store.ts";
import { textOf } from "../../../shared/contract/message.ts";
import { plainLine, plainText } from "../plain-text.ts";
import type { Closed } from "../why-closed.ts";
import { withFullAddresses } from "../with-full-addresses.ts";
import { askingOf, footerText, storageLine } from "./format.ts";
import { OneLine } from "./one-line.ts";
import { themeFor } from "./theme.ts";
import { Transcript } from "./transcript.ts";

/** Why the chat ended. */
export type ChatEnd =
  /** `isEmpty`: nothing was ever said in this conversation. */
  { kind: "quit" | "new"; isEmpty: boolean } | ({ kind: "closed" } & Closed) | { kind: "failed"; message: string };

export interface Chat {
  client: ConversationClient;
  /** Said at the top, such as what an earlier run had left unsent. */
  greeting: string | null;
  colour: boolean;
  /** Where Mosaic is, without a slash at the end. */
  url: string;
}

const DECISIONS: Record<string, "allow-once" | "allow-always" | "deny"> = {
  y: "allow-once",
  a: "allow-always",
  n: "deny",
};
const TWICE_WITHIN_MS = 2000;
const HINT = "Enter sends · Alt+Enter steers · Ctrl+J new line · Esc stops · Ctrl+T thinking · /help · Ctrl+D exits";

class ChatScreen {
  readonly #client: ConversationClient;
  readonly #store: ConversationStore;
  readonly #url: string;
  readonly #tui = new TuiMainScreen(new ProcessTerminal());
  readonly #transcript: Transcript;
  readonly #notice = new Text("", 1, 0);
  readonly #footer = new OneLine();
  readonly #theme;
  readonly #editor: Editor;
  readonly #ended = Promise.withResolvers<ChatEnd>();
  #over = false;
  #lastInterrupt = 0;
  #hint: string | null = HINT;
  #historyFilled = false;
  /** The tool call that was answered last. */
  #decided: string | null = null;

  constructor({ client, greeting, colour, url }: Chat) {
    this.#url = url;
    this.#client = client;
    this.#store = createConversationStore(client);
    this.#theme = themeFor(colour);
    this.#transcript = new Transcript(this.#theme);
    this.#editor = new Editor(this.#tui, this.#theme.editor);
    this.#editor.onSubmit = (text) => this.#submit(text);
    if (greeting !== null) this.#transcript.addAside(greeting, "warning");
    for (const child of [this.#transcript, this.#notice, this.#editor, this.#footer]) {
      this.#tui.addChild(child);
    }
    this.#tui.setFocus(this.#editor);
    this.#tui.addInputListener((data) => (this.#key(data) ? { consume: true } : undefined));
    this.#store.subscribe(() => this.#show());
  }

  async run(): Promise<ChatEnd> {
    const onSignal = (): void => this.#leave("quit");
    const onFailure = (error: unknown): void =>
      this.#end({ kind: "failed", message: `The screen failed: ${String(error)}` });
    process.on("SIGTERM", onSignal).on("SIGHUP", onSignal).on("uncaughtException", onFailure);
    // A link in an answer shows where it leads: its text alone could say anything.
    setCapabilityOverrides({ hyperlinks: false });
    this.#tui.start();
    this.#show();
    try {
      await this.#client.start();
      return await this.#ended.promise;
    } finally {
      process.off("SIGTERM", onSignal).off("SIGHUP", onSignal).off("uncaughtException", onFailure);
      this.#store.close();
      this.#client.stop();
      this.#tui.stop();
    }
  }

  #leave(kind: "quit" | "new"): void {
    const view = this.#store.getView();
    // Until the replay is complete nobody knows.
    const isEmpty = view.welcomedAt === 0 && view.seq === 0 && view.pending.length === 0;
    this.#end({ kind, isEmpty });
  }

  #end(end: ChatEnd): void {
    this.#over = true;
    this.#ended.resolve(end);
  }

  #show(): void {
    if (this.#over) return;
    const view = this.#store.getView();
    const { connection } = view;
    if (connection.state === "closed") {
      this.#end({ kind: "closed", code: connection.code, reason: connection.reason });
      return;
    }
    this.#transcript.setMessages(view.messages);
    this.#notice.setText(this.#noticeText());
    this.#footer.setText(this.#theme.dim(footerText(view)));
    if (!this.#historyFilled && view.welcomedAt !== null && view.seq >= view.welcomedAt) this.#fillHistory();
    this.#tui.requestRender();
  }

  #fillHistory(): void {
    this.#historyFilled = true;
    for (const message of this.#store.getView().messages) {
      if (message.role === "user") this.#editor.addToHistory(textOf(message.parts));
    }
  }

  #noticeText(): string {
    const view = this.#store.getView();
    if (view.connection.state === "waiting") {
      return this.#theme.warning("The connection is lost; trying again. What you send is kept and goes out by itself.");
    }
    const asking = askingOf(view);
    if (asking !== null) {
      const given = asking.callId === this.#decided ? "\n Your answer is on its way…" : "";
      return this.#theme.warning(plainText(asking.text + given));
    }
    const away = storageLine(view);
    if (away !== null) return this.#theme.dim(away);
    const last = view.notices.at(-1);
    if (this.#hint !== null) return this.#theme.dim(this.#hint);
    return last?.kind === "error" ? this.#theme.failure(plainLine(last.text)) : "";
  }

  /** Whether the key was for the screen and not for the editor. */
  #key(data: string): boolean {
    if (matchesKey(data, "ctrl+c")) return this.#interrupt();
    if (matchesKey(data, "ctrl+t")) {
      this.#transcript.toggleThinking();
      this.#show();
      return true;
    }
    if (matchesKey(data, "ctrl+d") && this.#editor.getText() === "") {
      this.#leave("quit");
      return true;
    }
    if (matchesKey(data, "alt+enter")) {
      const text = this.#editor.getText();
      this.#editor.setText("");
      this.#submit(text, "steer");
      return true;
    }
    if (this.#decide(data)) return true;
    const running = this.#store.getView().running;
    if (matchesKey(data, "escape") && running) {
      this.#client.stopTurn(running.turnId);
      return true;
    }
    return false;
  }

  #interrupt(): boolean {
    const now = Date.now();
    const again = now - this.#lastInterrupt < TWICE_WITHIN_MS;
    this.#lastInterrupt = now;
    if (again && this.#editor.getText() === "") {
      this.#leave("quit");
      return true;
    }
    this.#editor.setText("");
    this.#hint = "Ctrl+C once more exits.";
    this.#show();
    return true;
  }

  /** `y`, `a` and `n` are the answer to a tool that asks, unless something is being written. */
  #decide(data: string): boolean {
    const asking = askingOf(this.#store.getView());
    const decision = DECISIONS[data];
    if (asking === null || decision === undefined || this.#editor.getText() !== "") return false;
    this.#decided = asking.callId;
    this.#client.answerTool(asking.callId, decision);
    this.#show();
    return true;
  }

  #submit(typed: string, whenBusy: "queue" | "steer" = "queue"): void {
    const text = typed.trim();
    if (text === "") return;
    const steering = /^\/steer\s+(.+)$/s.exec(text)?.[1];
    this.#hint = null;
    this.#editor.addToHistory(text);
    if (text === "/quit" || text === "/exit") this.#leave("quit");
    else if (text === "/new") this.#leave("new");
    else if (steering !== undefined) this.#send(steering, "steer");
    else if (text.startsWith("/")) this.#command(text).catch(() => {});
    else this.#send(text, whenBusy);
  }

  #send(text: string, whenBusy: "queue" | "steer"): void {
    try {
      const { id, acknowledged } = this.#client.send({ text, whenBusy });
      // A refused message goes back to where it can be changed; nobody waits for the others.
      acknowledged.catch((error: unknown) => this.#refused(id, text, error)).catch(() => {});
    } catch (error) {
      this.#refused(null, text, error);
    }
  }

  #refused(id: string | null, text: string, error: unknown): void {
    if (this.#over || !(error instanceof ApiError) || error.code === "network") return;
    if (id !== null) this.#client.discard(id).catch(() => {});
    if (this.#editor.getText() === "") this.#editor.setText(text);
    this.#transcript.addAside(error.message, "failure");
    this.#show();
  }

  async #command(text: string): Promise<void> {
    this.#transcript.addAside(text, "dim");
    this.#show();
    try {
      const result = await this.#client.command(text);
      this.#transcript.addAside(withFullAddresses(result.text, this.#url), result.ok ? "plain" : "failure");
    } catch (error) {
      this.#transcript.addAside(error instanceof Error ? error.message : "The command failed.", "failure");
    }
    this.#show();
  }
}

/** Shows one conversation until the person leaves it. Whatever was typed and sent is in the outbox before it is shown. */
export const runChat = (chat: Chat): Promise<ChatEnd> => new ChatScreen(chat).run();
