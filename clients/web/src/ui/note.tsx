import type { ReactNode } from "react";

const LOOK = {
  error: "bg-danger-wash text-danger",
  warning: "bg-warn-wash text-warn",
  info: "bg-accent-wash text-accent",
} as const;

/** A short sentence set apart; errors are announced at once. */
export function Note({ look, children }: { look: keyof typeof LOOK; children: ReactNode }) {
  return (
    <div role={look === "error" ? "alert" : "status"} className={`rounded-xl px-3.5 py-2.5 text-[14px] ${LOOK[look]}`}>
      {children}
    </div>
  );
}
