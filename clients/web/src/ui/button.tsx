import type { ButtonHTMLAttributes, ReactNode } from "react";

const LOOK = {
  primary: "bg-accent text-accent-ink hover:opacity-90 px-4 h-10 font-medium",
  plain: "border border-line bg-raised hover:bg-hover px-4 h-10",
  danger: "bg-danger text-ground hover:opacity-90 px-4 h-10 font-medium",
  quiet: "text-soft hover:bg-hover hover:text-ink px-3 h-9",
} as const;

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { look?: keyof typeof LOOK };

export function Button({ look = "plain", className = "", type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`inline-flex items-center justify-center gap-2 rounded-xl text-[14px] transition disabled:opacity-50 ${LOOK[look]} ${className}`}
      {...rest}
    />
  );
}

type IconButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { label: string; children: ReactNode };

/** A button that shows only an icon; `label` is its name for everyone else. */
export function IconButton({ label, className = "", type = "button", children, ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded-lg text-soft transition hover:bg-hover hover:text-ink disabled:opacity-40 ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
