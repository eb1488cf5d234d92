import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ApiError } from "../../../../../shared/client/api-error.ts";
import type { Connector, CreatedConnector } from "../../../../../shared/contract/connector.ts";
import { api, connectorsQuery, queryClient, refreshProviders } from "../../app/api.ts";
import { textField, useSubmit } from "../../auth/use-submit.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { Note } from "../../ui/note.tsx";
import { timeWords } from "../providers/since.ts";

const POLL_EVERY_MS = 1500;

/** A name, then the command to run there, then the moment it dials in. */
export function ConnectMachineDialog({ onClose }: { onClose: () => void }) {
  const [created, setCreated] = useState<CreatedConnector | null>(null);
  const [asked, setAsked] = useState("");
  return (
    <Dialog title={created ? `Connect ${created.name}` : "Connect a machine"} onClose={onClose}>
      {created ? (
        <div className="space-y-4">
          {created.name === asked ? null : (
            <Note look="info">
              A machine called {asked} is online, so this one is called {created.name}.
            </Note>
          )}
          <Command created={created} onClose={onClose} />
        </div>
      ) : (
        <NameForm
          onCreated={(made, name) => {
            setAsked(name);
            setCreated(made);
          }}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}

interface NameFormProps {
  onCreated: (created: CreatedConnector, asked: string) => void;
  onClose: () => void;
}

function NameForm({ onCreated, onClose }: NameFormProps) {
  const { busy, error, submit } = useSubmit(async (form) => {
    try {
      const name = textField(form, "name").trim();
      onCreated(await api.connectors.create(name), name);
    } catch (thrown) {
      const told = thrown instanceof ApiError ? thrown.errors.find(({ path }) => path === "name") : undefined;
      throw told ? new Error(`The name ${told.message}.`) : thrown;
    }
    await queryClient.invalidateQueries({ queryKey: connectorsQuery.queryKey });
  });
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-4">
      <Field
        label="Name of the machine"
        name="name"
        placeholder="laptop, attic, workstation"
        hint="As you want to see it here."
        error={error}
        maxLength={60}
        autoComplete="off"
        required
        data-first-focus
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" disabled={busy}>
          Continue
        </Button>
      </div>
    </form>
  );
}

const commandFor = ({ token }: CreatedConnector): string =>
  `npx mosaic connect --url ${location.origin} --token ${token}`;

function Command({ created, onClose }: { created: CreatedConnector; onClose: () => void }) {
  const { data: machines } = useQuery({
    ...connectorsQuery,
    refetchInterval: ({ state }) => (isOnline(state.data, created.id) ? false : POLL_EVERY_MS),
  });
  const machine = machines?.find(({ id }) => id === created.id);
  const online = isOnline(machines, created.id);
  useEffect(() => {
    if (online) void refreshProviders();
  }, [online]);
  if (machine && online) return <Connected machine={machine} onClose={onClose} />;
  const command = commandFor(created);
  return (
    <div className="space-y-4">
      <p className="text-soft">Run this on {created.name}, in a checkout of Mosaic, with Ollama running:</p>
      <div className="flex items-start gap-2 rounded-xl bg-hover px-3.5 py-3">
        <code className="min-w-0 flex-1 break-words font-mono text-[13px] leading-relaxed">{command}</code>
        <CopyButton text={command} label="Copy command" />
      </div>
      <p className="text-[13px] text-soft">
        The token in it works once, until {timeWords(created.expiresAt, new Date())}, and is shown only here. Add{" "}
        <code className="whitespace-nowrap font-mono">--ollama &lt;address&gt;</code> where Ollama is not at its usual
        place.
      </p>
      <p role="status" className="flex items-center gap-2 text-[14px] text-soft">
        <span className="size-2 shrink-0 animate-pulse-soft rounded-[3px] bg-accent" aria-hidden="true" />
        Waiting for {created.name} to dial in…
      </p>
    </div>
  );
}

const isOnline = (machines: readonly Connector[] | undefined, id: string): boolean =>
  machines?.find((machine) => machine.id === id)?.state === "online";

function Connected({ machine, onClose }: { machine: Connector; onClose: () => void }) {
  const offers = machine.upstreams.map(({ name }) => name).join(", ");
  return (
    <div className="space-y-4">
      <Note look="info">
        {machine.name} is online{offers === "" ? ", and offers nothing yet." : ` and offers ${offers}.`}
      </Note>
      <p className="text-soft">
        What it offers stands under{" "}
        <Link to="/settings/providers" className="text-accent hover:underline">
          Providers
        </Link>{" "}
        as yours, and can answer your next message. It dials in again by itself as long as that command runs.
      </p>
      <div className="flex justify-end">
        <Button look="primary" onClick={onClose} autoFocus>
          Done
        </Button>
      </div>
    </div>
  );
}
