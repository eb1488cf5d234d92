import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { meQuery } from "../app/api.ts";
import { HomeLink, Trouble } from "../app/trouble-pages.tsx";
import { workspaceName } from "../app/workspace-name.ts";
import { DefaultModelSection } from "./default-model-section.tsx";
import { PeopleSection } from "./people-section.tsx";
import { Section } from "./section.tsx";

/** One workspace: its default model and, where it is not personal, its people. */
export function WorkspacePage() {
  const { workspaceId } = useParams({ from: "/signed-in/chat/workspaces/$workspaceId" });
  const { data: me } = useQuery(meQuery);
  const workspace = me?.workspaces.find(({ id }) => id === workspaceId);
  useEffect(() => {
    if (workspace) document.title = `${workspaceName(workspace)} · Mosaic`;
  }, [workspace]);
  if (!me) return null;
  if (!workspace)
    return (
      <Trouble title="This workspace is not here" action={<HomeLink />}>
        You are not a member of it, or it is gone.
      </Trouble>
    );
  const manages = workspace.role === "owner" || workspace.role === "admin";
  return (
    <main className="min-h-0 flex-1 overflow-y-auto px-5">
      <div className="mx-auto w-full max-w-[40rem] pb-24 pt-16">
        <Link to="/settings" className="text-[14px] text-soft hover:text-ink hover:underline">
          Settings
        </Link>
        <h1 className="mb-8 mt-1 break-words font-serif text-[30px] leading-tight">{workspaceName(workspace)}</h1>
        <div className="space-y-10">
          {workspace.personal ? (
            <p className="text-soft">This one is yours alone. Create another workspace to work with others.</p>
          ) : (
            <Section
              title="People"
              lead="They see the conversations that their owners share with this workspace, and no others."
            >
              <PeopleSection workspace={workspace} ownUserId={me.user.id} manages={manages} />
            </Section>
          )}
          {manages && !workspace.personal ? (
            <Section title="Providers" lead="Connect one for everybody here: they use it without seeing its key.">
              <Link to="/settings/providers" className="text-[14px] text-accent hover:underline">
                Providers in Settings
              </Link>
            </Section>
          ) : null}
          {manages ? (
            <Section title="Default model" lead="Answers when a conversation has no pinned model.">
              <DefaultModelSection workspaceId={workspaceId} />
            </Section>
          ) : null}
        </div>
      </div>
    </main>
  );
}
