import { useEffect, useRef, useState } from "react";
import type { View } from "../../../../shared/client/view-state.ts";
import { textOf } from "../../../../shared/contract/message.ts";

const LONGEST = 600;

/** For screen readers: that an answer began, and its words once it is whole. Not word by word. */
export function LiveAnnouncement({ view }: { view: View }) {
  const [spoken, setSpoken] = useState("");
  const wasRunning = useRef<string | null>(null);
  const running = view.running?.messageId ?? null;
  const asking = view.running === null ? 0 : (view.turns.get(view.running.turnId)?.needsApproval.length ?? 0);
  useEffect(() => {
    if (asking > 0) setSpoken("A tool waits for your leave.");
  }, [asking]);
  useEffect(() => {
    if (running !== null && wasRunning.current === null) setSpoken("Answering.");
    if (running === null && wasRunning.current !== null) {
      const last = view.messages.find(({ id }) => id === wasRunning.current);
      setSpoken(
        last?.role === "assistant" ? textOf(last.parts).slice(0, LONGEST) || "The answer ended." : "The answer ended.",
      );
    }
    wasRunning.current = running;
  }, [running, view.messages]);
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {spoken}
    </p>
  );
}
