import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { IconButton } from "../ui/button.tsx";

export interface CommandEntry {
  key: number;
  command: string;
  ok: boolean;
  text: string;
  /** The conversation that the command made. */
  madeId: string | null;
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
        <code className={`min-w-0 truncate font-mono text-[13px] ${entry.ok ? "text-accent" : "text-danger"}`}>
          {entry.command}
        </code>
        <IconButton label="Dismiss" small className="-mr-2" onClick={() => onDismiss(entry.key)}>
          <X className="size-3.5" />
        </IconButton>
      </div>
      <p className="whitespace-pre-wrap break-words">
        <WithDownloads text={entry.text} />
      </p>
      {entry.madeId === null ? null : (
        <Link
          to="/c/$conversationId"
          params={{ conversationId: entry.madeId }}
          className="mt-1 inline-block text-accent hover:underline"
        >
          Go on there
        </Link>
      )}
    </section>
  ));
}

const DOWNLOAD = /(\/api\/conversations\/[0-9a-f-]{36}\/export\?format=(?:markdown|json))/;

/** The paths of downloads as links; everything else as it was answered. */
function WithDownloads({ text }: { text: string }) {
  return text.split(DOWNLOAD).map((piece) =>
    DOWNLOAD.test(piece) ? (
      <a key={piece} href={piece} download className="break-all text-accent hover:underline">
        {piece}
      </a>
    ) : (
      piece
    ),
  );
}
