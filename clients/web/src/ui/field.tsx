import { type InputHTMLAttributes, useId } from "react";

type FieldProps = InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string };

export const inputLook =
  "h-11 w-full rounded-xl border border-line bg-raised px-3.5 text-[15px] placeholder:text-soft/70 focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0";

/** A labelled text input. */
export function Field({ label, hint, className = "", ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[13px] font-medium">
        {label}
      </label>
      <input id={id} className={inputLook} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      {hint ? (
        <p id={`${id}-hint`} className="mt-1.5 text-[13px] text-soft">
          {hint}
        </p>
      ) : null}
    </div>
  );
}
