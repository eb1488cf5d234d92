import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./button.tsx";
import { copyText } from "./copy-text.ts";

/** Copies `text` and says so for two seconds. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await copyText(text));
  return (
    <IconButton label={copied ? "Copied" : label} onClick={() => void copy()} small>
      {copied ? <Check className="size-3.5 text-accent" /> : <Copy className="size-3.5" />}
    </IconButton>
  );
}
