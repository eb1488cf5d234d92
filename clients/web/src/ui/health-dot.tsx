import type { HealthState } from "../../../../shared/contract/model.ts";

const LOOK: Record<HealthState, string> = {
  healthy: "bg-accent",
  degraded: "bg-warn",
  down: "bg-danger",
  unknown: "border-[1.5px] border-soft",
};

/** A mark for the eye only: its meaning stands in words beside it. Each state has a shape of its own, not just a colour. */
export function HealthDot({ state, off = false }: { state: HealthState; off?: boolean }) {
  const shape = state === "down" ? "rounded-[2px] rotate-45" : state === "degraded" ? "rounded-[3px]" : "rounded-full";
  return (
    <span
      aria-hidden="true"
      data-health={state}
      className={`inline-block size-2 shrink-0 ${shape} ${off ? "bg-line" : LOOK[state]}`}
    />
  );
}
