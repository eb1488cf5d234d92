import { ArrowUp, Square } from "lucide-react";
import {
  type Dispatch,
  type KeyboardEvent,
  type ReactNode,
  type SetStateAction,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { sentenceOf } from "../app/api.ts";
import { Note } from "../ui/note.tsx";
import { CommandMenu } from "./command-menu.tsx";
import { type CommandHint, commandsFor } from "./commands.ts";
import { readDraft, saveDraft } from "./drafts.ts";
import { refuseUnsendable } from "./sendable.ts";

interface ComposerProps {
  /** Drafts are kept under this name until they are sent. */
  draftKey: string;
  /** Resolves once the text is kept somewhere safe; a rejection is told and puts it back into the box. */
  onSend: (text: string) => Promise<void> | void;
  onStop?: () => void;
  answering?: boolean;
  disabled?: boolean;
  tools: ReactNode;
  /** Set from outside, by an example prompt; typed text is kept in here. */
  suggestion?: string;
}

const MAX_HEIGHT_PX = 260;

/** Grows with its text up to a limit. */
function useAutoHeight(text: string) {
  const ref = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    box.style.height = "auto";
    if (text !== "") box.style.height = `${Math.min(box.scrollHeight, MAX_HEIGHT_PX)}px`;
  }, [text]);
  return ref;
}

function useDraft(draftKey: string, suggestion: string | undefined) {
  const [text, setText] = useState(() => readDraft(draftKey));
  useEffect(() => saveDraft(draftKey, text), [draftKey, text]);
  useEffect(() => {
    if (suggestion) setText(suggestion);
  }, [suggestion]);
  return [text, setText] as const;
}

/** Sends what was typed. What is refused goes back into the box, with the reason above it. */
function useSend(sent: string, setText: Dispatch<SetStateAction<string>>, onSend: ComposerProps["onSend"]) {
  const [error, setError] = useState<string | null>(null);
  const send = async () => {
    if (sent === "") return;
    try {
      refuseUnsendable(sent);
      setError(null);
      setText("");
      await onSend(sent);
    } catch (thrown) {
      setError(sentenceOf(thrown));
      setText((now) => (now === "" ? sent : now));
    }
  };
  return { error, send, forget: () => setError(null) };
}

export function Composer({
  draftKey,
  onSend,
  onStop,
  answering = false,
  disabled = false,
  tools,
  suggestion,
}: ComposerProps) {
  const [text, setText] = useDraft(draftKey, suggestion);
  const [selected, setSelected] = useState(0);
  const [dismissed, setDismissed] = useState(false);
  const { error, send, forget } = useSend(disabled ? "" : text.trim(), setText, onSend);
  const box = useAutoHeight(text);
  const menuId = useId();
  const hints = dismissed ? [] : commandsFor(text);
  const at = Math.min(selected, Math.max(0, hints.length - 1));
  useEffect(() => {
    if (!disabled && !matchMedia("(pointer: coarse)").matches) box.current?.focus();
  }, [box, disabled]);

  const change = (next: string) => {
    setText(next);
    setSelected(0);
    setDismissed(false);
    forget();
  };
  const choose = (hint: CommandHint) => {
    change(hint.argument ? `${hint.name} ` : hint.name);
    setDismissed(true);
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const hint = hints[at];
    if (hint && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      setSelected((at + (event.key === "ArrowDown" ? 1 : -1) + hints.length) % hints.length);
    } else if (hint && (event.key === "Tab" || (event.key === "Enter" && hint.name !== text))) choose(hint);
    else if (hint && event.key === "Escape") {
      event.stopPropagation();
      setDismissed(true);
    } else if (event.key === "Enter" && !event.shiftKey) void send();
    else return;
    event.preventDefault();
  };
  return (
    <div className="relative">
      {hints.length > 0 ? <CommandMenu id={menuId} hints={hints} selected={at} onChoose={choose} /> : null}
      <Refused why={error} />
      <div className="rounded-2xl border border-line bg-raised shadow-[0_1px_3px_rgb(0_0_0/0.04)] transition focus-within:border-accent/60">
        <textarea
          ref={box}
          rows={1}
          value={text}
          disabled={disabled}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder="Ask anything, or type / for commands"
          aria-label="Message"
          aria-autocomplete="list"
          aria-controls={hints.length > 0 ? menuId : undefined}
          aria-activedescendant={hints.length > 0 ? `${menuId}-${at}` : undefined}
          enterKeyHint="send"
          className="block w-full resize-none bg-transparent px-4 pb-1 pt-3.5 text-[15px] leading-relaxed outline-none placeholder:text-soft"
        />
        <div className="flex items-center justify-between gap-2 px-2 pb-2">
          <div className="flex min-w-0 items-center gap-1">{tools}</div>
          <SendOrStop
            answering={answering && text.trim() === ""}
            empty={text.trim() === "" || disabled}
            onSend={send}
            onStop={onStop}
          />
        </div>
      </div>
    </div>
  );
}

function Refused({ why }: { why: string | null }) {
  if (why === null) return null;
  return (
    <div className="mb-3">
      <Note look="error">{why}</Note>
    </div>
  );
}

interface SendOrStopProps {
  answering: boolean;
  empty: boolean;
  onSend: () => Promise<void>;
  onStop: (() => void) | undefined;
}

function SendOrStop({ answering, empty, onSend, onStop }: SendOrStopProps) {
  const look = "inline-flex size-9 shrink-0 items-center justify-center rounded-xl transition";
  if (answering && onStop) {
    return (
      <button
        type="button"
        aria-label="Stop the answer"
        title="Stop (Esc)"
        onClick={onStop}
        className={`${look} bg-ink text-ground hover:opacity-85`}
      >
        <Square className="size-3.5" fill="currentColor" />
      </button>
    );
  }
  return (
    <button
      type="button"
      aria-label="Send"
      title="Send (Enter)"
      disabled={empty}
      onClick={() => void onSend()}
      className={`${look} bg-accent text-accent-ink hover:opacity-90 disabled:bg-hover disabled:text-soft`}
    >
      <ArrowUp className="size-[18px]" />
    </button>
  );
}
