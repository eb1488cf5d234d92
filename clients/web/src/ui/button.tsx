import type { ButtonHTMLAttributes, ReactNode } from "react";

const LOOK = {
  primary: "bg-accent text-accent-ink hover:opacity-90 font-medium",
  plain: "border border-line bg-raised hover:bg-hover",
  danger: "bg-danger text-ground hover:opacity-90 font-medium",
  quiet: "text-soft hover:bg-hover hover:text-ink",
} as const;

const SIZE = {
  large: "h-11 px-4 text-[14px]",
  medium: "h-10 px-4 text-[14px]",
  small: "h-8 px-3 text-[13px]",
} as const;

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: keyof typeof LOOK;
  size?: keyof typeof SIZE;
};

export function Button({ look = "plain", size = "medium", className = "", type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`inline-flex items-center justify-center gap-2 rounded-xl transition disabled:opacity-50 ${LOOK[look]} ${SIZE[size]} ${className}`}
      {...rest}
    />
  );
}

type IconButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  label: string;
  small?: boolean;
  children: ReactNode;
};

/** A button that shows only an icon; `label` is its name for everyone else. */
export function IconButton({
  label,
  small = false,
  className = "",
  type = "button",
  children,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`inline-flex shrink-0 items-center justify-center rounded-lg text-soft transition hover:bg-hover hover:text-ink disabled:opacity-40 ${small ? "size-7" : "size-8"} ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
