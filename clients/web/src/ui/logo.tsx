/** Four tiles that nearly fit: the mark of the house. */
export function Logo({ className = "size-7" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" fill="var(--accent)">
      <rect x="3" y="3" width="12" height="12" rx="3" />
      <rect x="17" y="3" width="12" height="12" rx="6" opacity=".45" />
      <rect x="3" y="17" width="12" height="12" rx="6" opacity=".7" />
      <path d="M17 20a3 3 0 0 1 3-3h6a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-3a6 6 0 0 1-6-6z" opacity=".9" />
    </svg>
  );
}
