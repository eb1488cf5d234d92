import { Check, CheckCheck, Clock, CornerDownRight, ListEnd, Pencil, TriangleAlert } from "lucide-react";
import { memo, useState } from "react";
import { whyUnsendable } from "../../../../shared/client/sendable.ts";
import type { ViewMessage } from "../../../../shared/client/view-state.ts";
import { textOf } from "../../../../shared/contract/message.ts";
import { sentenceOf } from "../app/api.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Note } from "../ui/note.tsx";

interface QuestionProps {
  message: ViewMessage;
  /** Said while the answer above was being written, which took it into account. */
  joined: boolean;
  /** Null for someone who may only read. */
  onEdit: ((messageId: string, text: string) => Promise<void>) | null;
  onResend: (messageId: string) => void;
  onDiscard: (messageId: string) => void;
}

const STATES = {
  sending: { Icon: Clock, text: "Sending: kept on this device" },
  unkept: { Icon: Clock, text: "Sending: not kept on this device" },
  saved: { Icon: Check, text: "Saved" },
  queued: { Icon: ListEnd, text: "Saved: its turn comes after the running answer" },
  steered: { Icon: CornerDownRight, text: "Saved: the running answer takes it into account" },
  answered: { Icon: CheckCheck, text: "Answered" },
} as const;

function stateOf({ status, kept, taken }: ViewMessage): keyof typeof STATES | null {
  if (status === "sending") return kept ? "sending" : "unkept";
  if (status === "saved") return taken === "queued" || taken === "steered" ? taken : "saved";
  return status === "answered" ? "answered" : null;
}

/** A person's message: shown as it was typed, never as markdown. */
export const Question = memo(function Question({ message, joined, onEdit, onResend, onDiscard }: QuestionProps) {
  const [editing, setEditing] = useState(false);
  const text = textOf(message.parts);
  const refused = message.status === "failed" && message.error !== null;
  if (editing && onEdit) {
    return <EditQuestion text={text} onClose={() => setEditing(false)} onSave={(next) => onEdit(message.id, next)} />;
  }
  return (
    <article
      aria-label="Your message"
      data-status={message.status}
      className="message group/question flex flex-col items-end py-3"
    >
      <div className="max-w-[85%] whitespace-pre-wrap break-words rounded-2xl rounded-br-md bg-accent-wash px-4 py-2.5">
        {text}
        {message.parts.map((part) =>
          part.type === "image" || part.type === "file" ? (
            <span key={part.fileId} className="block text-[14px] text-soft">
              {part.name}
            </span>
          ) : null,
        )}
      </div>
      {refused ? (
        <div role="alert" className="mt-2 flex max-w-[85%] flex-wrap items-center gap-2 text-[13px] text-danger">
          <TriangleAlert className="size-4" aria-hidden="true" /> {message.error}
          {message.parts.some(({ type }) => type !== "text") || whyUnsendable(text) === null ? (
            <Button size="small" className="text-ink" onClick={() => onResend(message.id)}>
              Send again
            </Button>
          ) : null}
          <Button look="quiet" size="small" onClick={() => onDiscard(message.id)}>
            Discard
          </Button>
          {text === "" ? null : <CopyButton text={text} label="Copy message" />}
        </div>
      ) : (
        <div className="mt-1 flex h-7 items-center text-soft">
          <span className="flex opacity-0 transition focus-within:opacity-100 group-hover/question:opacity-100 max-md:opacity-100">
            <CopyButton text={text} label="Copy message" />
            {message.status === "sending" || onEdit === null ? null : (
              <IconButton label="Edit message" small onClick={() => setEditing(true)}>
                <Pencil className="size-3.5" />
              </IconButton>
            )}
          </span>
          {message.siblings.length > 1 ? (
            <span className="px-1.5 text-[12px]">Edited. The JSON export has every version.</span>
          ) : null}
          {joined ? <span className="px-1.5 text-[12px]">Joined the answer above</span> : null}
          <StateMark state={stateOf(message)} />
        </div>
      )}
      {message.status === "sending" ? <Underway message={message} onDiscard={onDiscard} /> : null}
    </article>
  );
});

function StateMark({ state }: { state: keyof typeof STATES | null }) {
  if (state === null) return null;
  const { Icon, text } = STATES[state];
  const moves = state === "sending" || state === "unkept";
  return (
    <span className="inline-flex items-center px-1" title={text} data-state={state}>
      <Icon className={`size-3.5 ${moves ? "animate-pulse-soft" : ""}`} aria-hidden="true" />
      <span className="sr-only">{text}</span>
    </span>
  );
}

/** What stands in the way of a message that is still on its way; nothing as long as all goes well. */
function Underway({ message, onDiscard }: Pick<QuestionProps, "message" | "onDiscard">) {
  return (
    <div role="status" className="max-w-[85%] text-right text-[13px] text-warn empty:hidden">
      {message.kept ? null : <p>This browser cannot keep it. Leave the page open until it is saved.</p>}
      {message.error === null ? null : (
        <p>
          Not sent yet: {message.error}{" "}
          <button type="button" className="underline underline-offset-3" onClick={() => onDiscard(message.id)}>
            Discard
          </button>
        </p>
      )}
    </div>
  );
}

interface EditProps {
  text: string;
  onClose: () => void;
  onSave: (text: string) => Promise<void>;
}

function EditQuestion({ text, onClose, onSave }: EditProps) {
  const [value, setValue] = useState(text);
  const [error, setError] = useState<string | null>(null);
  const save = async () => {
    const why = whyUnsendable(value.trim());
    if (why !== null) return setError(why);
    try {
      await onSave(value.trim());
      onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <div className="my-3 rounded-2xl border border-line bg-raised p-3">
      <textarea
        aria-label="Edit your message"
        value={value}
        rows={Math.min(12, value.split("\n").length + 1)}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
        className="w-full resize-y bg-transparent px-1.5 outline-none"
        // The person asked to edit just now; the caret belongs here.
        ref={(node) => node?.focus({ preventScroll: false })}
      />
      {error ? <Note look="error">{error}</Note> : null}
      <div className="mt-2 flex items-center justify-end gap-2">
        <p className="mr-auto pl-1.5 text-[13px] text-soft">The earlier version is kept.</p>
        <Button size="small" onClick={onClose}>
          Cancel
        </Button>
        <Button
          look="primary"
          size="small"
          disabled={value.trim() === "" || value.trim() === text.trim()}
          onClick={() => void save()}
        >
          Save and ask
        </Button>
      </div>
    </div>
  );
}
