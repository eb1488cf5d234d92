import { Database } from "lucide-react";
import { useEffect, useState } from "react";
import type { SessionInfo } from "../../../../shared/contract/frames.ts";

const TEXT = {
  behind: "Saving is catching up. Everything is kept.",
  offline: "The database is away. Everything is kept and will be saved.",
} as const;

/** Every message is behind for a moment; only what lasts is worth a line. */
const PATIENCE_MS = { behind: 5000, offline: 1000 } as const;

/** Says when answers cannot reach the database for now, and goes when they have. */
export function StorageLine({ storage }: { storage: SessionInfo["storage"] | undefined }) {
  const late = storage === "behind" || storage === "offline" ? storage : null;
  const [shown, setShown] = useState<"behind" | "offline" | null>(null);
  useEffect(() => {
    if (late === null) {
      setShown(null);
      return;
    }
    const timer = setTimeout(() => setShown(late), PATIENCE_MS[late]);
    return () => clearTimeout(timer);
  }, [late]);
  return (
    <div role="status" className="empty:hidden">
      {shown === null ? null : (
        <p data-storage={shown} className="mb-1.5 flex items-center justify-center gap-2 text-[13px] text-soft">
          <Database className="size-3.5 shrink-0" aria-hidden="true" />
          {TEXT[shown]}
        </p>
      )}
    </div>
  );
}
