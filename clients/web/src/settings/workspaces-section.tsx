import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronRight, User, Users } from "lucide-react";
import type { Workspace } from "../../../../shared/contract/account.ts";
import { api, meQuery, queryClient } from "../app/api.ts";
import { workspaceName } from "../app/workspace-name.ts";
import { textField, useSubmit } from "../auth/use-submit.ts";
import { Button } from "../ui/button.tsx";
import { inputLook } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";

export function WorkspacesSection({ workspaces }: { workspaces: readonly Workspace[] }) {
  const navigate = useNavigate();
  const { busy, error, submit } = useSubmit(async (form) => {
    const { id } = await api.workspaces.create(textField(form, "name"));
    await queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
    await navigate({ to: "/workspaces/$workspaceId", params: { workspaceId: id } });
  });
  return (
    <div className="space-y-4">
      <ul className="divide-y divide-line overflow-hidden rounded-xl border border-line">
        {workspaces.map((workspace) => (
          <li key={workspace.id}>
            <Link
              to="/workspaces/$workspaceId"
              params={{ workspaceId: workspace.id }}
              className="flex items-center gap-3 px-4 py-2.5 transition hover:bg-hover focus-visible:-outline-offset-2"
            >
              {workspace.personal ? (
                <User className="size-4 shrink-0 text-soft" aria-hidden="true" />
              ) : (
                <Users className="size-4 shrink-0 text-soft" aria-hidden="true" />
              )}
              <span className="min-w-0 flex-1 truncate text-[14px]">{workspaceName(workspace)}</span>
              <span className="shrink-0 text-[13px] text-soft">{workspace.personal ? "only you" : workspace.role}</span>
              <ChevronRight className="size-4 shrink-0 text-soft" aria-hidden="true" />
            </Link>
          </li>
        ))}
      </ul>
      {error ? <Note look="error">{error}</Note> : null}
      <form onSubmit={submit} className="flex gap-2 max-sm:flex-col">
        <input
          name="name"
          aria-label="Name of the new workspace"
          placeholder="A team, a family, a project"
          required
          maxLength={100}
          className={inputLook}
        />
        <Button type="submit" size="large" className="shrink-0" disabled={busy}>
          Create workspace
        </Button>
      </form>
    </div>
  );
}
