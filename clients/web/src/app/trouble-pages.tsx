import type { ErrorComponentProps } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { Button } from "../ui/button.tsx";
import { Logo } from "../ui/logo.tsx";
import { sentenceOf } from "./api.ts";

export function Trouble({ title, children, action }: { title: string; children: ReactNode; action: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Mosaic`;
  }, [title]);
  return (
    <main className="flex h-full flex-col items-center justify-center gap-3 px-6 pb-24 text-center">
      <Logo className="mb-2 size-10 opacity-80" />
      <h1 className="font-serif text-[26px]">{title}</h1>
      <p className="max-w-sm text-soft">{children}</p>
      <div className="mt-3">{action}</div>
    </main>
  );
}

export function NotFoundPage() {
  return (
    <Trouble title="Nothing lives here" action={<HomeLink />}>
      The address may be mistyped, or what was here is gone.
    </Trouble>
  );
}

export function HomeLink() {
  return (
    <a href="/" className="text-accent hover:underline">
      Back to your conversations
    </a>
  );
}

export function TroublePage({ error }: ErrorComponentProps) {
  return (
    <Trouble title="That did not work" action={<Button onClick={() => location.reload()}>Try again</Button>}>
      {sentenceOf(error)}
    </Trouble>
  );
}
