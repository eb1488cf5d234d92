import { useState } from "react";
import { KIND_WORDS } from "../../../../../shared/client/provider-words.ts";
import type { ConnectableKind, Provider } from "../../../../../shared/contract/provider.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";

interface KeyFieldProps {
  kind: ConnectableKind;
  value: string;
  /** What is saved: its hint is shown, never the key. */
  saved: Provider["credential"] | null;
  /** The saved key does not go to the new address. */
  mustComeAnew: boolean;
  error: string | undefined;
  onChange: (value: string) => void;
}

/** Write-only: what is saved shows as a hint, and is replaced, not edited. */
export function KeyField({ kind, value, saved, mustComeAnew, error, onChange }: KeyFieldProps) {
  const [replacing, setReplacing] = useState(false);
  const words = KIND_WORDS[kind];
  const isSaved = saved?.configured === true;
  if (isSaved && !replacing && !mustComeAnew && error === undefined)
    return (
      <div>
        <p className="mb-1.5 text-[13px] font-medium">{saved.method === "oauth" ? "Sign-in" : "API key"}</p>
        <div className="flex h-11 items-center gap-2 rounded-xl border border-line pl-3.5 pr-1.5">
          <span className="min-w-0 flex-1 truncate text-[15px] text-soft">
            {saved.method === "oauth" ? "Logged in" : <span className="font-mono">{saved.hint ?? "saved"}</span>}
          </span>
          <Button look="quiet" size="small" onClick={() => setReplacing(true)}>
            {saved.method === "oauth" ? "Use a key instead" : "Replace"}
          </Button>
        </div>
      </div>
    );
  return (
    <Field
      label={words.key === "optional" ? "API key, if it wants one" : "API key"}
      type="password"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error}
      hint={
        mustComeAnew ? (
          "A key goes only where it was saved for: enter it again for the new address."
        ) : words.keyPage ? (
          <>
            Made at{" "}
            <a href={words.keyPage} target="_blank" rel="noopener noreferrer" className="text-accent hover:underline">
              {new URL(words.keyPage).host}
            </a>
            . It is stored encrypted and never shown again.
          </>
        ) : (
          "It is stored encrypted and never shown again."
        )
      }
      autoComplete="off"
      spellCheck={false}
      autoFocus={replacing}
      required={(mustComeAnew && isSaved) || (!isSaved && words.key === "needed")}
    />
  );
}
