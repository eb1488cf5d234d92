import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sentenceOf, signInOptionsQuery } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Note } from "../ui/note.tsx";
import { authApi } from "./auth-api.ts";

interface SingleSignOnProps {
  returnTo: string;
  /** The code that the provider's way back carried, when it did not work. */
  failed?: string | undefined;
}

/** The way through the operator's identity provider; nothing where none is configured. */
export function SingleSignOn({ returnTo, failed }: SingleSignOnProps) {
  const { data: options } = useQuery(signInOptionsQuery);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  if (!options?.singleSignOn) return null;
  const { name } = options.singleSignOn;
  const go = async () => {
    setBusy(true);
    setError(null);
    try {
      location.assign((await authApi.signInElsewhere(returnTo)).url);
    } catch (thrown) {
      setError(sentenceOf(thrown));
      setBusy(false);
    }
  };
  const shown = error ?? (failed ? `${name} did not let you in (${failed.slice(0, 80)}). Try again.` : null);
  return (
    <div className="mt-5 space-y-4">
      <p className="flex items-center gap-3 text-[13px] text-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or
      </p>
      {shown ? <Note look="error">{shown}</Note> : null}
      <Button size="large" className="w-full" disabled={busy} onClick={() => void go()}>
        Continue with {name}
      </Button>
    </div>
  );
}
