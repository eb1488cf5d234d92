import { WifiOff } from "lucide-react";
import { useEffect, useState } from "react";
import type { Connection } from "../../../../shared/client/view-state.ts";
import { Button } from "../ui/button.tsx";

interface BannerProps {
  connection: Connection;
  onRetry: () => void;
}

const PATIENCE_MS = 1200;

/** Says so when the connection is gone, but not for a blink. */
export function ConnectionBanner({ connection, onRetry }: BannerProps) {
  const troubled = connection.state === "waiting" || connection.state === "connecting";
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!troubled) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [troubled]);
  const closed = connection.state === "closed" && connection.code !== 1000;
  if (!closed && !(troubled && late)) return null;
  return (
    <div
      role="status"
      className="mx-auto mb-2 flex w-full items-center gap-2.5 rounded-xl bg-warn-wash px-3.5 py-2 text-[14px] text-warn"
    >
      <WifiOff className="size-4 shrink-0" aria-hidden="true" />
      <span className="min-w-0 flex-1">
        {connection.state === "closed"
          ? connection.reason
          : "Offline. What you send is kept here and goes out when Mosaic answers again."}
      </span>
      {connection.state === "closed" ? null : (
        <Button look="quiet" size="small" className="text-warn" onClick={onRetry}>
          Try now
        </Button>
      )}
    </div>
  );
}
