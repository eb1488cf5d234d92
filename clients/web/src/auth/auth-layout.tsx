import { type ReactNode, useEffect } from "react";
import { Logo } from "../ui/logo.tsx";
import { ThemeToggle } from "../ui/theme-toggle.tsx";

/** The quiet frame of every page before the chat. */
export function AuthLayout({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Mosaic`;
  }, [title]);
  return (
    <div className="flex min-h-full flex-col">
      <header className="flex items-center justify-between px-5 py-4">
        <a href="/" className="flex items-center gap-2.5 rounded-lg font-serif text-[19px]">
          <Logo />
          Mosaic
        </a>
        <ThemeToggle />
      </header>
      <main className="flex flex-1 items-start justify-center px-5 pb-20 pt-[min(12vh,7rem)]">
        <div className="w-full max-w-[23rem]">
          <h1 className="font-serif text-[30px] leading-tight text-balance">{title}</h1>
          <div className="mb-7 mt-2 text-[15px] text-soft">{lead}</div>
          {children}
        </div>
      </main>
    </div>
  );
}
