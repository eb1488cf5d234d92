import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import type { ConnectableKind, Provider } from "../../../../../shared/contract/provider.ts";
import { api, healthQuery, meQuery, providersQuery, refreshProviders, sentenceOf } from "../../app/api.ts";
import { Button } from "../../ui/button.tsx";
import { Note } from "../../ui/note.tsx";
import { Section } from "../section.tsx";
import { SettingsFrame } from "../settings-frame.tsx";
import { groupsOf, mayManage, type ProviderGroup } from "./audience.ts";
import { KindGrid } from "./kind-grid.tsx";
import { AddProviderDialog, EditProviderDialog, LogInAgainDialog, RemoveProviderDialog } from "./provider-dialogs.tsx";
import { ProviderRow } from "./provider-row.tsx";

type Open = { what: "add"; kind: ConnectableKind | null } | { what: "edit" | "remove" | "login"; provider: Provider };

export function ProvidersPage() {
  const { add } = useSearch({ from: "/signed-in/chat/settings/providers" });
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open | null>(add === undefined ? null : { what: "add", kind: null });
  const close = () => {
    setOpen(null);
    // A reload must not open it again.
    if (add !== undefined) void navigate({ to: "/settings/providers", search: {}, replace: true });
  };
  const saved = async (provider: Provider) => {
    close();
    // Asked at once, so that its health stands there and a mistyped key shows now.
    await api.providers.test(provider.id).catch(() => null);
    await refreshProviders();
  };
  return (
    <SettingsFrame
      title="Providers"
      lead="Who answers you. Yours are asked first, then your workspace’s, then this instance’s. A change applies to the next message."
    >
      <ProviderGroups onOpen={setOpen} />
      {open?.what === "add" ? (
        <AddProviderDialog kind={open.kind} onSaved={(made) => void saved(made)} onClose={close} />
      ) : null}
      {open?.what === "edit" ? (
        <EditProviderDialog provider={open.provider} onSaved={(changed) => void saved(changed)} onClose={close} />
      ) : null}
      {open?.what === "remove" ? <RemoveProviderDialog provider={open.provider} onClose={close} /> : null}
      {open?.what === "login" ? <LogInAgainDialog provider={open.provider} onClose={close} /> : null}
    </SettingsFrame>
  );
}

function ProviderGroups({ onOpen }: { onOpen: (open: Open) => void }) {
  const { data: me } = useQuery(meQuery);
  const { data, error } = useQuery(providersQuery);
  if (error) return <Note look="error">{sentenceOf(error)}</Note>;
  if (!me || !data) return <p className="text-soft">Loading…</p>;
  return (
    <div className="space-y-10">
      {groupsOf(me, data.items).map((group) => (
        <Section
          key={group.key}
          title={group.title}
          lead={group.providers.length === 0 ? "None yet. What would you like to connect?" : group.lead}
        >
          <Group group={group} onOpen={onOpen} />
        </Section>
      ))}
    </div>
  );
}

function Group({ group, onOpen }: { group: ProviderGroup; onOpen: (open: Open) => void }) {
  const { data: me } = useQuery(meQuery);
  const { data: list } = useQuery(providersQuery);
  const { data: health } = useQuery(healthQuery);
  if (group.providers.length === 0) return <KindGrid onPick={(kind) => onOpen({ what: "add", kind })} />;
  return (
    <div className="space-y-3">
      <ul className="divide-y divide-line rounded-xl border border-line">
        {group.providers.map((provider) => (
          <ProviderRow
            key={provider.id}
            provider={provider}
            health={health?.find(({ providerId }) => providerId === provider.id)}
            managed={me !== undefined && mayManage(me, provider)}
            onEdit={() => onOpen({ what: "edit", provider })}
            onRemove={() => onOpen({ what: "remove", provider })}
            onLogInAgain={
              list?.logins.some(({ kind }) => kind === provider.kind) ? () => onOpen({ what: "login", provider }) : null
            }
          />
        ))}
      </ul>
      {group.key === "user" ? (
        <Button onClick={() => onOpen({ what: "add", kind: null })}>
          <Plus className="size-4" aria-hidden="true" /> Connect a provider
        </Button>
      ) : null}
    </div>
  );
}
