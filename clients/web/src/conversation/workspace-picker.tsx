import { useQuery } from "@tanstack/react-query";
import { Check, ChevronDown } from "lucide-react";
import { meQuery } from "../app/api.ts";
import { workspaceName } from "../app/workspace-name.ts";
import { Menu, MenuItem } from "../ui/menu.tsx";

interface WorkspacePickerProps {
  /** Null: the personal one. */
  chosen: string | null;
  onPick: (workspaceId: string) => void;
}

/** Where a new conversation will belong; nothing for people with one place only. */
export function WorkspacePicker({ chosen, onPick }: WorkspacePickerProps) {
  const { data: me } = useQuery(meQuery);
  const writable = (me?.workspaces ?? []).filter(({ role }) => role !== "viewer");
  if (!me || writable.length < 2) return null;
  const at = chosen ?? me.defaultWorkspaceId;
  const current = writable.find(({ id }) => id === at);
  const label = current ? workspaceName(current) : "";
  return (
    <Menu
      label={`Workspace: ${label}`}
      align="left"
      side="up"
      triggerClass="flex h-8 min-w-0 max-w-[28vw] sm:max-w-44 items-center gap-1.5 rounded-lg px-2.5 text-[13px] text-soft transition hover:bg-hover hover:text-ink"
      trigger={
        <>
          <span className="truncate">{label}</span>
          <ChevronDown className="size-3.5 shrink-0" />
        </>
      }
    >
      {(close) => (
        <div className="w-60 max-w-[50vw]">
          {writable.map((workspace) => (
            <MenuItem
              key={workspace.id}
              checked={workspace.id === at}
              onSelect={() => {
                close();
                onPick(workspace.id);
              }}
            >
              <span className="min-w-0 flex-1 truncate">{workspaceName(workspace)}</span>
              {workspace.id === at ? <Check className="size-4 shrink-0 text-accent" /> : null}
            </MenuItem>
          ))}
        </div>
      )}
    </Menu>
  );
}
