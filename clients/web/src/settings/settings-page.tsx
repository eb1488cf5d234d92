import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../app/api.ts";
import { ApiKeysSection } from "./api-keys-section.tsx";
import { DefaultModelSection } from "./default-model-section.tsx";
import { DeleteAccountSection } from "./delete-account-section.tsx";
import { Section } from "./section.tsx";
import { SettingsFrame } from "./settings-frame.tsx";
import { WorkspacesSection } from "./workspaces-section.tsx";

export function SettingsPage() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <SettingsFrame title="Settings">
      <div className="space-y-10">
        <Section title="Account">
          <dl className="grid grid-cols-[6rem_1fr] gap-y-2 text-[15px]">
            <dt className="text-soft">Name</dt>
            <dd className="break-words">{me.user.name}</dd>
            <dt className="text-soft">E-mail</dt>
            <dd className="break-words">{me.user.email}</dd>
            <dt className="text-soft">Role</dt>
            <dd>{me.user.isInstanceAdmin ? "Admin of this instance" : "Member"}</dd>
          </dl>
        </Section>
        <Section title="Default model" lead="Answers when a conversation has no pinned model.">
          <DefaultModelSection workspaceId={me.defaultWorkspaceId} />
        </Section>
        <Section
          title="Workspaces"
          lead="A conversation belongs to one. It is yours alone until you share it with the people there."
        >
          <WorkspacesSection workspaces={me.workspaces} />
        </Section>
        <Section title="API keys" lead="For scripts. A key acts as you: keep it secret.">
          <ApiKeysSection />
        </Section>
        <Section title="Leaving" lead="Your account with everything in it.">
          <DeleteAccountSection email={me.user.email} />
        </Section>
      </div>
    </SettingsFrame>
  );
}
