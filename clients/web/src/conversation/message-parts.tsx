import { Brain, ChevronRight } from "lucide-react";
import { Fragment, lazy, type ReactNode, Suspense } from "react";
import type { Seam } from "../../../../shared/client/view-seams.ts";
import type { Part } from "../../../../shared/contract/message.ts";
import { ToolCall, type ToolDecision } from "./tool-call.tsx";

const Markdown = lazy(() => import("./markdown.tsx"));

export type DecideTool = (callId: string, decision: ToolDecision) => void;

interface PartsProps {
  parts: readonly Part[];
  streaming: boolean;
  seams: readonly Seam[];
  /** What was said while this was being written, each after so many parts. */
  inserted: readonly { afterParts: number; key: string; shown: ReactNode }[];
  needsApproval: readonly string[];
  /** Null for someone who may only read. */
  onDecideTool: DecideTool | null;
}

/** Parts only ever grow at the end, so their place names them. */
const placed = (parts: readonly Part[]) => parts.map((part, place) => ({ part, place, key: `${place}-${part.type}` }));

/** The parts of an answer in their order. */
export function MessageParts(props: PartsProps) {
  return (
    <div className="space-y-3">
      {placed(props.parts).map(({ part, place, key }) => (
        <Fragment key={key}>
          <Seams seams={props.seams} afterParts={place} />
          <Inserted inserted={props.inserted} afterParts={place} />
          <PartView {...props} part={part} last={place === props.parts.length - 1} />
        </Fragment>
      ))}
      <Seams seams={props.seams} afterParts={props.parts.length} />
      <Inserted inserted={props.inserted} afterParts={props.parts.length} />
    </div>
  );
}

function Inserted({ inserted, afterParts }: Pick<PartsProps, "inserted"> & Pick<Seam, "afterParts">) {
  return inserted
    .filter((one) => one.afterParts === afterParts)
    .map(({ key, shown }) => <Fragment key={key}>{shown}</Fragment>);
}

/** Where an answer was cut and went on, or went on with another model: said, never hidden. */
function Seams({ seams, afterParts }: Pick<Seam, "afterParts"> & Pick<PartsProps, "seams">) {
  return seams
    .filter((seam) => seam.afterParts === afterParts)
    .map(({ notice }) => (
      <div
        key={notice.key}
        role="note"
        data-seam={notice.kind}
        className="flex items-center gap-3 text-[13px] text-warn"
      >
        <span className="h-px w-6 bg-warn/40" aria-hidden="true" />
        <span className="min-w-0 break-words">{notice.text}</span>
        <span className="h-px flex-1 bg-warn/40" aria-hidden="true" />
      </div>
    ));
}

/** Plain text stands in until the markdown code has arrived. */
function PartView({
  part,
  last,
  parts,
  streaming,
  needsApproval,
  onDecideTool,
}: PartsProps & { part: Part; last: boolean }) {
  switch (part.type) {
    case "text":
      return (
        <Suspense fallback={<p className="whitespace-pre-wrap">{part.text}</p>}>
          <Markdown text={part.text} streaming={streaming && last} />
        </Suspense>
      );
    case "thinking":
      return <Thinking text={part.text} active={streaming && last} />;
    case "tool-call":
      return (
        <ToolCall
          name={part.name}
          input={part.input}
          result={parts.find((other) => other.type === "tool-result" && other.callId === part.callId)}
          asks={needsApproval.includes(part.callId)}
          onDecide={onDecideTool && ((decision) => onDecideTool(part.callId, decision))}
        />
      );
    case "image":
    case "file":
      return <p className="text-[14px] text-soft">{part.name}</p>;
    case "tool-result":
      return null;
  }
}

function Thinking({ text, active }: { text: string; active: boolean }) {
  return (
    <details className="group text-[14px] text-soft">
      <summary className="inline-flex list-none items-center gap-2 rounded-lg py-0.5 pr-2 hover:text-ink">
        <Brain className={`size-4 ${active ? "animate-pulse-soft text-accent" : ""}`} aria-hidden="true" />
        {active ? "Thinking…" : "Thought about it"}
        <ChevronRight className="size-3.5 transition group-open:rotate-90" aria-hidden="true" />
      </summary>
      <p className="ml-2 mt-1.5 whitespace-pre-wrap break-words border-l-2 border-line pl-4 leading-relaxed">
        {text || "The model kept this to itself."}
      </p>
    </details>
  );
}
