import { useEffect, useRef, useState } from "react";
import type { View } from "../../../../shared/client/view-state.ts";
import { textOf } from "../../../../shared/contract/message.ts";

const LONGEST = 600;

/** For screen readers: that an answer began, and its words once it is whole. Not word by word. */
export function LiveAnnouncement({ view }: { view: View }) {
  const [spoken, setSpoken] = useState("");
  const wasRunning = useRef(false);
  const running = view.running !== null;
  useEffect(() => {
    if (running && !wasRunning.current) setSpoken("Answering.");
    if (!running && wasRunning.current) {
      const last = view.messages.at(-1);
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
