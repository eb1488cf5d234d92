import { X } from "lucide-react";
import { useState } from "react";
import type { View } from "../../../../shared/client/view-state.ts";
import { IconButton } from "../ui/button.tsx";

/** The newest thing that went wrong and belongs to no message, until it is put away. */
export function Told({ notices }: Pick<View, "notices">) {
  const [dismissed, setDismissed] = useState<string | null>(null);
  const error = notices.findLast(({ kind }) => kind === "error");
  if (!error || error.key === dismissed) return null;
  return (
    <div
      role="alert"
      className="mb-2 flex items-center gap-2 rounded-xl bg-danger-wash px-3.5 py-1.5 text-[14px] text-danger"
    >
      <p className="min-w-0 flex-1 break-words">{error.text}</p>
      <IconButton label="Dismiss" small onClick={() => setDismissed(error.key)}>
        <X className="size-3.5" />
      </IconButton>
    </div>
  );
}
