import type { ReactNode } from "react";

/** A titled part of a settings page. */
export function Section({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h2 className="text-[17px] font-semibold">{title}</h2>
      {lead ? <p className="mb-4 mt-0.5 text-[14px] text-soft">{lead}</p> : <div className="mb-3" />}
      {children}
    </section>
  );
}
