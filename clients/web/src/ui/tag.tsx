import type { ReactNode } from "react";

/** A word or two set apart beside a name. */
export function Tag({ children, strong = false }: { children: ReactNode; strong?: boolean }) {
  const look = strong ? "bg-accent-wash text-accent" : "bg-hover text-soft";
  return (
    <span className={`inline-flex shrink-0 items-center rounded-md px-1.5 py-px text-[12px] ${look}`}>{children}</span>
  );
}
