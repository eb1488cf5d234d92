import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { meQuery } from "../app/api.ts";
import { ApiKeysSection } from "./api-keys-section.tsx";
import { DefaultModelSection } from "./default-model-section.tsx";

export function SettingsPage() {
  const { data: me } = useQuery(meQuery);
  useEffect(() => {
    document.title = "Settings · Mosaic";
  }, []);
  if (!me) return null;
  const workspace = me.workspaces.find(({ id }) => id === me.defaultWorkspaceId);
  return (
    <main className="min-h-0 flex-1 overflow-y-auto px-5">
      <div className="mx-auto w-full max-w-[40rem] pb-24 pt-16">
        <h1 className="mb-8 font-serif text-[30px]">Settings</h1>
        <div className="space-y-10">
          <Section title="Account">
            <dl className="grid grid-cols-[6rem_1fr] gap-y-2 text-[15px]">
              <dt className="text-soft">Name</dt>
              <dd className="break-words">{me.user.name}</dd>
              <dt className="text-soft">E-mail</dt>
              <dd className="break-words">{me.user.email}</dd>
              <dt className="text-soft">Role</dt>
              <dd>{me.user.isInstanceAdmin ? "Admin of this instance" : "Member"}</dd>
              <dt className="text-soft">Workspace</dt>
              <dd className="break-words">{workspace ? `${workspace.name} (${workspace.role})` : "None"}</dd>
            </dl>
          </Section>
          <Section title="Default model" lead="Answers when a conversation has no pinned model.">
            <DefaultModelSection workspaceId={me.defaultWorkspaceId} />
          </Section>
          <Section title="API keys" lead="For scripts. A key acts as you: keep it secret.">
            <ApiKeysSection />
          </Section>
        </div>
      </div>
    </main>
  );
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="text-[17px] font-semibold">{title}</h2>
      {lead ? <p className="mb-4 mt-0.5 text-[14px] text-soft">{lead}</p> : <div className="mb-3" />}
      {children}
    </section>
  );
}
