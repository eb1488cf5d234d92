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
import { type CommandHint, commandsFor, isCommand } from "./commands.ts";
import { readDraft, saveDraft } from "./drafts.ts";
import { SendButtons } from "./send-buttons.tsx";
import { refuseUnsendable } from "./sendable.ts";

interface ComposerProps {
  /** Drafts are kept under this name until they are sent. */
  draftKey: string;
  /** Resolves once the text is kept somewhere safe; a rejection is told and puts it back into the box. */
  onSend: (text: string) => Promise<void> | void;
  /** Says something into the running answer; absent where there is none. */
  onSteer?: (text: string) => Promise<void> | void;
  onStop?: () => void;
  answering?: boolean;
  disabled?: boolean;
  placeholder?: string;
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
function useSend(sent: string, setText: Dispatch<SetStateAction<string>>) {
  const [error, setError] = useState<string | null>(null);
  const send = async (onSend: ComposerProps["onSend"]) => {
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
  onSteer,
  onStop,
  answering = false,
  disabled = false,
  placeholder = "Ask anything, or type / for commands",
  tools,
  suggestion,
}: ComposerProps) {
  const [text, setText] = useDraft(draftKey, suggestion);
  const [selected, setSelected] = useState(0);
  const [dismissed, setDismissed] = useState(false);
  const { error, send, forget } = useSend(disabled ? "" : text.trim(), setText);
  const empty = disabled || text.trim() === "";
  const steer = answering && onSteer && !empty && !isCommand(text.trim()) ? onSteer : null;
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
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send(steer ?? onSend);
    else if (event.key === "Enter" && !event.shiftKey) void send(onSend);
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
          placeholder={answering && onSteer ? "Ask what comes next, or steer with Ctrl+Enter" : placeholder}
          aria-label="Message"
          aria-autocomplete="list"
          aria-controls={hints.length > 0 ? menuId : undefined}
          aria-activedescendant={hints.length > 0 ? `${menuId}-${at}` : undefined}
          enterKeyHint="send"
          className="block w-full resize-none bg-transparent px-4 pb-1 pt-3.5 text-[15px] leading-relaxed outline-none placeholder:text-soft"
        />
        <div className="flex items-center justify-between gap-2 px-2 pb-2">
          <div className="flex min-w-0 items-center gap-1">{tools}</div>
          <SendButtons
            answering={answering}
            empty={empty}
            canSteer={steer !== null}
            onSend={() => send(onSend)}
            onSteer={() => send(steer ?? onSend)}
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
