import { ChevronRight, ShieldQuestion, Wrench } from "lucide-react";
import { useEffect, useState } from "react";
import { visibleText } from "../../../../shared/client/visible-text.ts";
import type { Part } from "../../../../shared/contract/message.ts";
import { Button } from "../ui/button.tsx";

export type ToolDecision = "allow-once" | "allow-always" | "deny";

interface ToolCallProps {
  name: string;
  input: unknown;
  result: Part | undefined;
  asks: boolean;
  /** Null for someone who may only read. */
  onDecide: ((decision: ToolDecision) => void) | null;
}

const DECISIONS: readonly { decision: ToolDecision; text: string }[] = [
  { decision: "allow-once", text: "Allow once" },
  { decision: "allow-always", text: "Always allow" },
  { decision: "deny", text: "Deny" },
];

const shown = (value: unknown): string =>
  visibleText(typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? ""));

const BOX =
  "max-h-72 overflow-auto whitespace-pre-wrap break-words border-t border-line px-3 py-2 font-mono text-[12.5px]";

/** What the model asked a tool for and what came of it; where it needs leave, whoever reads decides. */
export function ToolCall({ name, input, result, asks, onDecide }: ToolCallProps) {
  const outcome = result?.type === "tool-result" ? result : null;
  const state = asks ? "waits for your leave" : outcome === null ? "running…" : outcome.isError ? "failed" : "done";
  const Icon = asks ? ShieldQuestion : Wrench;
  const call = visibleText(name);
  return (
    <div
      data-tool={asks ? "asks" : outcome === null ? "running" : "done"}
      className={`rounded-xl border text-[14px] ${asks ? "border-accent/60" : "border-line"}`}
    >
      {/* Whoever is asked must see what for; a result is there for who looks. */}
      <details className="group" open={asks} key={asks ? "asks" : "told"}>
        <summary className="flex list-none items-center gap-2 px-3 py-2">
          <Icon className={`size-4 shrink-0 ${asks ? "text-accent" : "text-soft"}`} aria-hidden="true" />
          <bdi className="min-w-0 break-all font-mono text-[13px]">{call}</bdi>
          <span className={`shrink-0 ${outcome?.isError ? "text-danger" : "text-soft"}`}>{state}</span>
          <ChevronRight className="ml-auto size-3.5 shrink-0 text-soft transition group-open:rotate-90" aria-hidden />
        </summary>
        <pre className={BOX}>{shown(input)}</pre>
        {outcome ? <pre className={BOX}>{shown(outcome.output)}</pre> : null}
      </details>
      {asks ? <Decide call={call} onDecide={onDecide} /> : null}
    </div>
  );
}

/** An answer that got lost with its connection can be given again. */
const ASK_AGAIN_AFTER_MS = 8000;

function Decide({ call, onDecide }: { call: string; onDecide: ToolCallProps["onDecide"] }) {
  const [decided, setDecided] = useState<ToolDecision | null>(null);
  useEffect(() => {
    if (decided === null) return;
    const timer = setTimeout(() => setDecided(null), ASK_AGAIN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [decided]);
  if (onDecide === null)
    return <p className="border-t border-line px-3 py-2 text-soft">Someone who may write here has to decide.</p>;
  return (
    <fieldset aria-label={`May ${call} run?`} className="flex flex-wrap gap-2 border-t border-line p-2">
      {DECISIONS.map(({ decision, text }) => (
        <Button
          key={decision}
          look={decision === "allow-once" ? "primary" : "plain"}
          size="small"
          disabled={decided !== null}
          onClick={() => {
            setDecided(decision);
            onDecide(decision);
          }}
        >
          {text}
        </Button>
      ))}
    </fieldset>
  );
}
