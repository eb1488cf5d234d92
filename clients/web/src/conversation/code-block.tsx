import { CopyButton } from "../ui/copy-button.tsx";

export function CodeBlock({ language, code }: { language: string; code: string }) {
  return (
    <figure className="overflow-hidden rounded-xl border border-line bg-panel">
      <figcaption className="flex items-center justify-between py-1 pl-3.5 pr-1.5 text-[12px] text-soft">
        <span>{language || "text"}</span>
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      <pre className="overflow-x-auto px-3.5 pb-3 pt-1 font-mono text-[13px] leading-relaxed">
        <code>{code}</code>
      </pre>
    </figure>
  );
}
