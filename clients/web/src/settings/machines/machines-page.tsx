import { useMutation, useQuery } from "@tanstack/react-query";
import { Laptop, Plus } from "lucide-react";
import { useState } from "react";
import type { Connector } from "../../../../../shared/contract/connector.ts";
import { api, connectorsQuery, queryClient, refreshProviders, sentenceOf } from "../../app/api.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { HealthDot } from "../../ui/health-dot.tsx";
import { Note } from "../../ui/note.tsx";
import { Tag } from "../../ui/tag.tsx";
import { timeWords } from "../providers/since.ts";
import { SettingsFrame } from "../settings-frame.tsx";
import { ConnectMachineDialog } from "./connect-machine-dialog.tsx";

/** How long a machine's state that is on the screen may be out of date. */
const STATE_EVERY_MS = 5000;

export function MachinesPage() {
  const [connecting, setConnecting] = useState(false);
  const [removing, setRemoving] = useState<Connector | null>(null);
  const { data: machines, error } = useQuery({ ...connectorsQuery, refetchInterval: STATE_EVERY_MS });
  return (
    <SettingsFrame
      title="Machines"
      lead="Your own computers with model servers on them. They dial in from where they are: no port is opened, and only what you name there can be reached."
    >
      <div className="space-y-4">
        {error ? <Note look="error">{sentenceOf(error)}</Note> : null}
        {machines?.length === 0 ? <Empty /> : null}
        {machines && machines.length > 0 ? (
          <ul className="divide-y divide-line rounded-xl border border-line">
            {machines.map((machine) => (
              <MachineRow key={machine.id} machine={machine} onRemove={() => setRemoving(machine)} />
            ))}
          </ul>
        ) : null}
        {machines ? (
          <Button look={machines.length === 0 ? "primary" : "plain"} onClick={() => setConnecting(true)}>
            <Plus className="size-4" aria-hidden="true" /> Connect a machine
          </Button>
        ) : null}
      </div>
      {connecting ? <ConnectMachineDialog onClose={() => setConnecting(false)} /> : null}
      {removing ? <RemoveMachineDialog machine={removing} onClose={() => setRemoving(null)} /> : null}
    </SettingsFrame>
  );
}

function Empty() {
  return (
    <div className="flex gap-3.5 rounded-xl border border-dashed border-line px-4 py-5">
      <Laptop className="mt-0.5 size-5 shrink-0 text-accent" aria-hidden="true" />
      <p className="text-[15px] text-soft">
        No machine is connected. With Ollama on your laptop or on a computer at home, one command there makes its models
        answer here, wherever this page is open.
      </p>
    </div>
  );
}

function MachineRow({ machine, onRemove }: { machine: Connector; onRemove: () => void }) {
  const { name, state, lastSeenAt, upstreams, clientVersion } = machine;
  const isOnline = state === "online";
  const seen = lastSeenAt === null ? "Never seen yet" : `Offline, last seen ${timeWords(lastSeenAt, new Date())}`;
  return (
    <li aria-label={name} className="flex gap-3 px-4 py-3">
      <span className="flex h-[22px] items-center">
        <HealthDot state={isOnline ? "healthy" : "unknown"} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="break-words text-[15px] font-medium">{name}</p>
        <p className="text-[13px] text-soft">
          {isOnline ? <span className="font-medium text-accent">Online</span> : seen}
          {clientVersion === null ? "" : ` · mosaic ${clientVersion}`}
        </p>
        {upstreams.length > 0 ? (
          <p className="mt-1.5 flex flex-wrap items-center gap-1.5 text-[13px] text-soft">
            Offers
            {upstreams.map((upstream) => (
              <Tag key={upstream.name}>{upstream.name}</Tag>
            ))}
          </p>
        ) : null}
      </div>
      <Button look="quiet" size="small" aria-label={`Remove ${name}`} onClick={onRemove}>
        Remove
      </Button>
    </li>
  );
}

function RemoveMachineDialog({ machine, onClose }: { machine: Connector; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => api.connectors.remove(machine.id),
    onSuccess: async () => {
      await Promise.all([queryClient.invalidateQueries({ queryKey: connectorsQuery.queryKey }), refreshProviders()]);
      onClose();
    },
  });
  return (
    <Dialog title={`Remove ${machine.name}?`} onClose={onClose}>
      <div className="space-y-4">
        <p className="text-soft">
          It is cut off at once and cannot dial in again without a new command. What runs on it stays as it is.
        </p>
        {remove.error ? <Note look="error">{sentenceOf(remove.error)}</Note> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose} data-first-focus>
            Keep
          </Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {remove.isPending ? "Removing…" : "Remove"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
