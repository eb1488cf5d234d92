import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";

const PAGES = [
  { to: "/settings", name: "General" },
  { to: "/settings/providers", name: "Providers" },
  { to: "/settings/machines", name: "Machines" },
  { to: "/settings/models", name: "Models" },
] as const;

interface SettingsFrameProps {
  /** Of the page; the ways to the others stand above it. */
  title: string;
  lead?: ReactNode;
  /** For tables: as wide as the window allows. */
  wide?: boolean;
  children: ReactNode;
}

/** What the pages of the settings have in common: the ways between them, title and width. */
export function SettingsFrame({ title, lead, wide = false, children }: SettingsFrameProps) {
  useEffect(() => {
    document.title = `${title} · Mosaic`;
  }, [title]);
  return (
    <main className="min-h-0 flex-1 overflow-y-auto px-5 max-sm:px-4">
      <div className={`mx-auto w-full pb-24 pt-14 ${wide ? "max-w-[68rem]" : "max-w-[42rem]"}`}>
        <nav aria-label="Settings" className="-mx-2.5 mb-6 flex flex-wrap gap-x-1 text-[14px]">
          {PAGES.map(({ to, name }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: true, includeSearch: false }}
              className="rounded-lg px-2.5 py-1.5 text-soft transition hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:font-medium aria-[current=page]:text-ink"
            >
              {name}
            </Link>
          ))}
        </nav>
        <h1 className="font-serif text-[30px] leading-tight">{title}</h1>
        {lead ? <p className="mt-1.5 max-w-[36rem] text-[15px] text-soft">{lead}</p> : null}
        <div className="mt-8">{children}</div>
      </div>
    </main>
  );
}
