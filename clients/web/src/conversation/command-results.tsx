import { X } from "lucide-react";
import { lazy, Suspense } from "react";
import { IconButton } from "../ui/button.tsx";

const Markdown = lazy(() => import("./markdown.tsx"));

export interface CommandEntry {
  key: number;
  command: string;
  ok: boolean;
  text: string;
}

interface CommandResultsProps {
  entries: readonly CommandEntry[];
  onDismiss: (key: number) => void;
}

/** What commands answered: for this page only, not a part of the conversation. */
export function CommandResults({ entries, onDismiss }: CommandResultsProps) {
  return entries.map((entry) => (
    <section
      key={entry.key}
      aria-label={`Result of ${entry.command}`}
      role="status"
      className="my-3 animate-appear rounded-xl border border-dashed border-line px-4 py-3 text-[14px]"
    >
      <div className="mb-1 flex items-center justify-between gap-2">
        <code className={`font-mono text-[13px] ${entry.ok ? "text-accent" : "text-danger"}`}>{entry.command}</code>
        <IconButton label="Dismiss" small className="-mr-2" onClick={() => onDismiss(entry.key)}>
          <X className="size-3.5" />
        </IconButton>
      </div>
      <Suspense fallback={<p className="whitespace-pre-wrap">{entry.text}</p>}>
        <Markdown text={entry.text} streaming={false} />
      </Suspense>
    </section>
  ));
}
