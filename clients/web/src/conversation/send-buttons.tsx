import { ArrowUp, CornerDownRight, Square } from "lucide-react";

interface SendButtonsProps {
  answering: boolean;
  empty: boolean;
  /** Whether what is typed could join the running answer. */
  canSteer: boolean;
  onSend: () => Promise<void>;
  onSteer: () => Promise<void>;
  onStop: (() => void) | undefined;
}

const SHAPE = "inline-flex size-9 shrink-0 items-center justify-center rounded-xl transition";

/** While an answer is written: stop it, say something into it, or queue what comes next. */
export function SendButtons({ answering, empty, canSteer, onSend, onSteer, onStop }: SendButtonsProps) {
  const stops = answering && onStop !== undefined;
  return (
    <div className="flex shrink-0 items-center gap-1.5">
      {stops ? (
        <button
          type="button"
          aria-label="Stop the answer"
          title="Stop (Esc)"
          onClick={onStop}
          className={`${SHAPE} ${empty ? "bg-ink text-ground hover:opacity-85" : "text-soft hover:bg-hover hover:text-ink"}`}
        >
          <Square className="size-3.5" fill="currentColor" />
        </button>
      ) : null}
      {answering && canSteer ? (
        <button
          type="button"
          aria-label="Steer the answer"
          title="Steer: the running answer takes it into account (Ctrl+Enter)"
          onClick={() => void onSteer()}
          className={`${SHAPE} border border-line bg-raised text-accent hover:bg-hover`}
        >
          <CornerDownRight className="size-[18px]" />
        </button>
      ) : null}
      {stops && empty ? null : (
        <button
          type="button"
          aria-label="Send"
          title={answering ? "Send after this answer (Enter)" : "Send (Enter)"}
          disabled={empty}
          onClick={() => void onSend()}
          className={`${SHAPE} bg-accent text-accent-ink hover:opacity-90 disabled:bg-hover disabled:text-soft`}
        >
          <ArrowUp className="size-[18px]" />
        </button>
      )}
    </div>
  );
}
