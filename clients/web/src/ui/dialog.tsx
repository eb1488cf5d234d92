import { X } from "lucide-react";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { IconButton } from "./button.tsx";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/**
 * A modal on the platform's own `<dialog>`: it traps focus, closes on Esc and gives focus back.
 * It opens at the element marked `data-first-focus`.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    const first = dialog?.querySelector<HTMLElement>("[data-first-focus]");
    first?.focus();
    if (first instanceof HTMLInputElement) first.select();
    // Closed and not just removed, so that the focus goes back to where it was.
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onClose={(event) => event.currentTarget.open || onClose()}
      onClick={(event) => event.target === ref.current && ref.current?.close()}
      onKeyDown={(event) => event.stopPropagation()}
      className="w-[min(32rem,calc(100vw-2rem))] animate-appear rounded-2xl border border-line bg-raised p-0 text-ink shadow-float"
    >
      <div className="p-5">
        <div className="mb-3 flex items-start justify-between gap-4">
          <h2 id={titleId} className="text-[17px] font-semibold">
            {title}
          </h2>
          <IconButton label="Close" className="-mr-1.5 -mt-1" onClick={() => ref.current?.close()}>
            <X className="size-4" />
          </IconButton>
        </div>
        {children}
      </div>
    </dialog>
  );
}
