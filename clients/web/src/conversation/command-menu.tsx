import type { CommandHint } from "./commands.ts";

interface CommandMenuProps {
  id: string;
  hints: readonly CommandHint[];
  selected: number;
  onChoose: (hint: CommandHint) => void;
}

/** A listbox above the composer; the focus stays in the text. */
export function CommandMenu({ id, hints, selected, onChoose }: CommandMenuProps) {
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Commands"
      className="absolute inset-x-0 bottom-full z-20 mb-2 max-h-64 animate-appear overflow-y-auto rounded-2xl border border-line bg-raised p-1.5 shadow-float"
    >
      {hints.map((hint, index) => (
        <div
          key={hint.name}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === selected}
          ref={(node) => {
            if (index === selected) node?.scrollIntoView({ block: "nearest" });
          }}
          onPointerDown={(event) => {
            event.preventDefault();
            onChoose(hint);
          }}
          className={`flex cursor-pointer items-baseline gap-x-2 max-sm:flex-wrap rounded-lg px-3 py-1.5 text-[14px] ${index === selected ? "bg-hover" : "hover:bg-hover"}`}
        >
          <span className="font-mono text-[13px] text-accent">{hint.name}</span>
          {hint.argument ? <span className="text-[13px] text-soft">{hint.argument}</span> : null}
          <span className="text-[13px] text-soft max-sm:w-full sm:ml-auto sm:truncate sm:pl-4">{hint.what}</span>
        </div>
      ))}
    </div>
  );
}
