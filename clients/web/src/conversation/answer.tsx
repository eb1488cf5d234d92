import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCcw, TriangleAlert } from "lucide-react";
import { memo, type ReactNode, useState } from "react";
import { endingOf, type Joined, seamsOf, stoppedBy } from "../../../../shared/client/view-seams.ts";
import type { ViewMessage } from "../../../../shared/client/view-state.ts";
import { textOf } from "../../../../shared/contract/message.ts";
import { meQuery } from "../app/api.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { formatCost, formatCount, formatDuration } from "./format.ts";
import { type DecideTool, MessageParts } from "./message-parts.tsx";
import { ReceiptDialog } from "./receipt-dialog.tsx";

interface AnswerProps {
  message: ViewMessage;
  /** Whether it can be asked for once more. */
  latest: boolean;
  onRetry: () => void;
  onDecideTool: DecideTool | null;
  joined: readonly Joined[];
  showQuestion: (message: ViewMessage) => ReactNode;
}

const NOTHING: readonly string[] = [];

/** Rendered anew only when its own message changes: a token of one answer leaves the others alone. */
export const Answer = memo(function Answer(props: AnswerProps) {
  const { message, latest, onRetry, onDecideTool, joined, showQuestion } = props;
  const streaming = message.status === "streaming" || message.status === "interrupted";
  return (
    <article
      aria-label="Answer"
      aria-busy={streaming}
      data-status={message.status}
      className="message group/answer py-3"
    >
      <MessageParts
        parts={message.parts}
        streaming={streaming}
        seams={seamsOf(message)}
        inserted={joined.map((one) => ({ ...one, key: one.message.id, shown: showQuestion(one.message) }))}
        needsApproval={message.turn?.needsApproval ?? NOTHING}
        onDecideTool={onDecideTool}
      />
      {streaming && message.parts.length === 0 ? <Waiting /> : null}
      <Ending message={message} latest={latest} onRetry={onRetry} />
      {streaming ? null : <AnswerFooter message={message} latest={latest} onRetry={onRetry} />}
    </article>
  );
});

function Waiting() {
  return (
    <p className="flex items-center gap-2 py-1 text-soft">
      <span className="size-2 animate-pulse-soft rounded-[3px] bg-accent" aria-hidden="true" />
      <span className="text-[14px]">Waiting for the first word…</span>
    </p>
  );
}

/** Why an answer is not whole, said once; whoever may not want it to stay so can ask again. */
function Ending({ message, latest, onRetry }: Pick<AnswerProps, "message" | "latest" | "onRetry">) {
  const { data: me } = useQuery(meQuery);
  if (message.status !== "failed" && message.status !== "stopped") return null;
  const ending = endingOf(message);
  const stopper = stoppedBy(ending);
  if (message.status === "stopped" && (ending === null || stopper !== null)) {
    const who = stopper === me?.user.name ? "you" : stopper;
    return <p className="mt-2 text-[13px] text-soft">{who === null ? "Stopped here." : `Stopped by ${who}.`}</p>;
  }
  const canRetry = message.status === "stopped" || (message.turn?.notices.some((notice) => notice.canRetry) ?? true);
  return (
    <div
      role="alert"
      className="mt-3 flex items-center gap-3 rounded-xl bg-danger-wash px-3.5 py-3 text-[14px] text-danger"
    >
      <TriangleAlert className="size-4 shrink-0" aria-hidden="true" />
      <p className="min-w-0 flex-1 break-words">
        {ending?.text ?? message.error ?? "This answer failed."}{" "}
        {message.status === "failed" && latest ? (
          <Link to="/settings/providers" className="whitespace-nowrap rounded underline underline-offset-3">
            See your providers
          </Link>
        ) : null}
      </p>
      {canRetry && latest ? (
        <Button look="plain" size="small" className="shrink-0 text-ink" onClick={onRetry}>
          <RotateCcw className="size-3.5" /> Retry
        </Button>
      ) : null}
    </div>
  );
}

function factsOf({ metadata }: ViewMessage): string[] {
  const { provider, model, latencyMs, usage, microUsd } = metadata;
  const cost = microUsd === undefined ? null : formatCost(microUsd, provider);
  const tokens = usage ? usage.inputTokens + usage.outputTokens : 0;
  return [
    ...(provider && provider !== model ? [provider] : []),
    ...(latencyMs === undefined ? [] : [formatDuration(latencyMs)]),
    ...(tokens > 0 ? [`${formatCount(tokens)} tokens`] : []),
    ...(cost === null ? [] : [cost]),
  ];
}

function AnswerFooter({ message, latest, onRetry }: Pick<AnswerProps, "message" | "latest" | "onRetry">) {
  const [open, setOpen] = useState(false);
  const receipt = message.turn?.receipt ?? null;
  const model = message.metadata.model ?? receipt?.chosen.model;
  const copied = textOf([...message.parts]);
  return (
    <footer className="mt-2 flex min-h-8 flex-wrap items-center gap-x-1 text-[13px] text-soft">
      <span className="mr-1 min-w-0 break-words" data-testid="routed-model">
        {[model, ...factsOf(message)].filter(Boolean).join(" · ")}
        {receipt ? (
          <>
            {" · "}
            <button
              type="button"
              className="rounded underline decoration-line underline-offset-3 hover:text-ink"
              onClick={() => setOpen(true)}
            >
              why?
            </button>
          </>
        ) : null}
      </span>
      <span className="flex opacity-0 transition focus-within:opacity-100 group-hover/answer:opacity-100 max-md:opacity-100">
        {copied ? <CopyButton text={copied} label="Copy answer" /> : null}
        {latest ? (
          <IconButton label="Answer once more" small onClick={onRetry}>
            <RotateCcw className="size-3.5" />
          </IconButton>
        ) : null}
      </span>
      {open && receipt ? (
        <ReceiptDialog receipt={receipt} metadata={message.metadata} onClose={() => setOpen(false)} />
      ) : null}
    </footer>
  );
}
