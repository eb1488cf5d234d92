import { type ReactNode, useEffect, useRef, useState } from "react";

interface MenuProps {
  label: string;
  trigger: ReactNode;
  triggerClass?: string;
  align?: "left" | "right";
  side?: "up" | "down";
  children: (close: () => void) => ReactNode;
}

const itemsOf = (root: HTMLElement | null): HTMLElement[] => [
  ...(root?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? []),
];

/** A small popup of choices: arrows move, Esc closes and gives focus back, a click elsewhere closes. */
export function Menu({ label, trigger, triggerClass = "", align = "right", side = "down", children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    itemsOf(root.current)[0]?.focus();
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    // Leaving by Tab closes too, and the focus goes where the key leads.
    if (event.key === "Tab") return setOpen(false);
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = itemsOf(root.current);
      const at = document.activeElement instanceof HTMLElement ? all.indexOf(document.activeElement) : -1;
      const step = event.key === "ArrowDown" ? 1 : -1;
      all[(at + step + all.length) % all.length]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={root} className="relative">
      <button
        ref={button}
        type="button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        className={triggerClass}
        onClick={() => setOpen((was) => !was)}
      >
        {trigger}
      </button>
      {open ? (
        <div
          role="menu"
          tabIndex={-1}
          onKeyDown={onKeyDown}
          aria-label={label}
          className={`absolute z-30 max-h-80 min-w-48 animate-appear overflow-y-auto rounded-xl border border-line bg-raised p-1 shadow-float ${align === "right" ? "right-0" : "left-0"} ${side === "up" ? "bottom-full mb-1.5" : "top-full mt-1.5"}`}
        >
          {children(close)}
        </div>
      ) : null}
    </div>
  );
}

interface MenuItemProps {
  onSelect: () => void;
  danger?: boolean;
  checked?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, danger = false, checked, children }: MenuItemProps) {
  return (
    <button
      type="button"
      {...(checked === undefined ? { role: "menuitem" } : { role: "menuitemradio", "aria-checked": checked })}
      onClick={onSelect}
      className={`flex w-full items-center gap-2.5 rounded-lg px-2.5 py-2 text-left text-[14px] hover:bg-hover focus-visible:bg-hover focus-visible:outline-none ${danger ? "text-danger" : ""}`}
    >
      {children}
    </button>
  );
}
