import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId } from "react";

export const inputLook =
  "h-11 w-full rounded-xl border border-line bg-raised px-3.5 text-[15px] placeholder:text-soft/70 focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 aria-invalid:border-danger";

interface Described {
  label: string;
  hint?: ReactNode;
  /** One sentence on what is wrong with this value. */
  error?: string | null | undefined;
}

/** Label above, hint and error below, and what ties them to the control for everyone who does not see them. */
function useDescribed({ label, hint, error }: Described) {
  const id = useId();
  const described = [error ? `${id}-error` : null, hint ? `${id}-hint` : null].filter(Boolean).join(" ");
  const control = {
    id,
    "aria-invalid": error ? (true as const) : undefined,
    "aria-describedby": described === "" ? undefined : described,
  };
  const around = (input: ReactNode, className: string) => (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[13px] font-medium">
        {label}
      </label>
      {input}
      {error ? (
        <p id={`${id}-error`} role="alert" className="mt-1.5 text-[13px] text-danger">
          {error}
        </p>
      ) : null}
      {hint ? (
        <p id={`${id}-hint`} className="mt-1.5 text-[13px] text-soft">
          {hint}
        </p>
      ) : null}
    </div>
  );
  return { control, around };
}

type FieldProps = InputHTMLAttributes<HTMLInputElement> & Described;

/** A labelled text input. */
export function Field({ label, hint, error, className = "", ...rest }: FieldProps) {
  const { control, around } = useDescribed({ label, hint, error });
  return around(<input className={inputLook} {...control} {...rest} />, className);
}

type SelectFieldProps = SelectHTMLAttributes<HTMLSelectElement> & Described;

/** A labelled choice; its options are the children. */
export function SelectField({ label, hint, error, className = "", ...rest }: SelectFieldProps) {
  const { control, around } = useDescribed({ label, hint, error });
  return around(<select className={`field ${inputLook}`} {...control} {...rest} />, className);
}
