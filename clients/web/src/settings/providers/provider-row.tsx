import { useMutation, useQuery } from "@tanstack/react-query";
import { Ellipsis, LogIn, Pencil, Power, Star, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { kindName } from "../../../../../shared/client/provider-words.ts";
import type { ProviderHealth } from "../../../../../shared/contract/model.ts";
import type { Provider, ProviderTest, UpdateProvider } from "../../../../../shared/contract/provider.ts";
import { api, connectorsQuery, refreshProviders, sentenceOf } from "../../app/api.ts";
import { formatDuration } from "../../conversation/format.ts";
import { Button } from "../../ui/button.tsx";
import { HealthDot } from "../../ui/health-dot.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { Tag } from "../../ui/tag.tsx";
import { HealthLine } from "./health-line.tsx";

interface ProviderRowProps {
  provider: Provider;
  health: ProviderHealth | undefined;
  /** Whether whoever looks may change it. */
  managed: boolean;
  onEdit: () => void;
  onRemove: () => void;
  onLogInAgain: (() => void) | null;
}

/** Kind, place and what is known of the key. */
function useFacts({ kind, config, credential, displayName }: Provider): string[] {
  const { data: machines } = useQuery({ ...connectorsQuery, enabled: config.connectorId !== undefined });
  const name = kindName(kind);
  const machine = machines?.find(({ id }) => id === config.connectorId)?.name;
  const headers = Object.keys(config.headers ?? {}).length;
  return [
    ...(name === displayName ? [] : [name]),
    ...(config.connectorId === undefined ? [] : [`on ${machine ?? "a machine"}`]),
    ...(config.baseUrl === undefined ? [] : [URL.parse(config.baseUrl)?.host ?? config.baseUrl]),
    ...(credential.configured
      ? [credential.method === "oauth" ? "logged in" : `key ${credential.hint ?? "saved"}`]
      : []),
    ...(headers > 0 ? [headers === 1 ? "1 header" : `${headers} headers`] : []),
  ];
}

export function ProviderRow({ provider, health, managed, onEdit, onRemove, onLogInAgain }: ProviderRowProps) {
  const { id, displayName, isDefault, isEnabled, source } = provider;
  const facts = useFacts(provider);
  const test = useMutation({ mutationFn: () => api.providers.test(id), onSettled: refreshProviders });
  const change = useMutation({
    mutationFn: (changes: UpdateProvider) => api.providers.update(id, changes),
    onSettled: refreshProviders,
  });
  const problem = change.error ?? test.error;
  return (
    <li aria-label={displayName} className="flex gap-3 px-4 py-3">
      <span className="flex h-[22px] items-center">
        <HealthDot state={health?.state ?? provider.health} off={!isEnabled} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className={`min-w-0 break-words text-[15px] font-medium ${isEnabled ? "" : "text-soft"}`}>
            {displayName}
          </span>
          {isDefault ? <Tag strong>Default</Tag> : null}
          {isEnabled ? null : <Tag>Off</Tag>}
          {source === "environment" ? <Tag>Set by the operator</Tag> : null}
        </p>
        {facts.length > 0 ? <p className="break-words text-[13px] text-soft">{facts.join(" · ")}</p> : null}
        <HealthLine provider={provider} health={health} withoutError={test.data?.ok === false} />
        <div role="status" className="text-[13px] empty:hidden">
          {test.isPending ? <p className="text-soft">Asking it for its models…</p> : null}
          {test.data && !test.isPending ? <TestResult test={test.data} /> : null}
        </div>
        {problem ? (
          <p role="alert" className="text-[13px] text-danger">
            {sentenceOf(problem)}
          </p>
        ) : null}
      </div>
      <div className="flex shrink-0 items-start gap-1">
        <Button size="small" aria-label={`Test ${displayName}`} disabled={test.isPending} onClick={() => test.mutate()}>
          Test
        </Button>
        {managed ? (
          <RowMenu
            provider={provider}
            onEdit={onEdit}
            onRemove={onRemove}
            onLogInAgain={onLogInAgain}
            onChange={(changes) => change.mutate(changes)}
          />
        ) : null}
      </div>
    </li>
  );
}

function TestResult({ test }: { test: ProviderTest }) {
  if (!test.ok) return <p className="break-words text-danger">{test.error ?? "It does not answer."}</p>;
  return (
    <p className="text-accent">
      It answers in {formatDuration(test.latencyMs)} and lists {test.models === 1 ? "1 model" : `${test.models} models`}
      .
    </p>
  );
}

interface RowMenuProps extends Pick<ProviderRowProps, "provider" | "onEdit" | "onRemove" | "onLogInAgain"> {
  onChange: (changes: UpdateProvider) => void;
}

function RowMenu({ provider, onEdit, onRemove, onLogInAgain, onChange }: RowMenuProps) {
  const { displayName, isDefault, isEnabled } = provider;
  return (
    <Menu
      label={`More for ${displayName}`}
      triggerClass="inline-flex size-8 items-center justify-center rounded-lg text-soft hover:bg-hover hover:text-ink"
      trigger={<Ellipsis className="size-4" />}
    >
      {(close) => {
        const item = (icon: ReactNode, text: string, act: () => void, danger = false) => (
          <MenuItem
            danger={danger}
            onSelect={() => {
              close();
              act();
            }}
          >
            {icon} {text}
          </MenuItem>
        );
        const soft = "size-4 text-soft";
        return (
          <>
            {item(<Pencil className={soft} />, "Edit", onEdit)}
            {onLogInAgain ? item(<LogIn className={soft} />, "Log in again", onLogInAgain) : null}
            {item(<Star className={soft} />, isDefault ? "No longer default" : "Make default", () =>
              onChange({ isDefault: !isDefault }),
            )}
            {item(<Power className={soft} />, isEnabled ? "Turn off" : "Turn on", () =>
              onChange({ isEnabled: !isEnabled }),
            )}
            {item(<Trash2 className="size-4" />, "Remove", onRemove, true)}
          </>
        );
      }}
    </Menu>
  );
}
