import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { KIND_WORDS, kindName } from "../../../../../shared/client/provider-words.ts";
import type { ConnectableKind, Provider } from "../../../../../shared/contract/provider.ts";
import { api, providersQuery, refreshProviders, sentenceOf } from "../../app/api.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Note } from "../../ui/note.tsx";
import { KindGrid } from "./kind-grid.tsx";
import { ProviderForm } from "./provider-form.tsx";
import { VendorLogin } from "./vendor-login.tsx";

interface AddDialogProps {
  /** Chosen already, by a button elsewhere. */
  kind: ConnectableKind | null;
  onSaved: (provider: Provider) => void;
  onClose: () => void;
}

export function AddProviderDialog({ kind: given, onSaved, onClose }: AddDialogProps) {
  const [kind, setKind] = useState(given);
  return (
    <Dialog title={kind === null ? "Connect a provider" : `Connect ${KIND_WORDS[kind].name}`} onClose={onClose}>
      {kind === null ? (
        <KindGrid onPick={setKind} />
      ) : (
        <ConnectKind key={kind} kind={kind} onSaved={onSaved} onBack={() => setKind(null)} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface ConnectKindProps extends Omit<AddDialogProps, "kind"> {
  kind: ConnectableKind;
  onBack: () => void;
}

/** A login where the vendor has one, a key where it has none or somebody wants it so. */
function ConnectKind({ kind, onSaved, onBack, onClose }: ConnectKindProps) {
  const { data } = useQuery(providersQuery);
  const [way, setWay] = useState<"login" | "waiting" | "key">("login");
  const hasLogin = data?.logins.some((login) => login.kind === kind) ?? false;
  return (
    <div className="space-y-4">
      <button
        type="button"
        onClick={onBack}
        className="-mt-2 flex items-center gap-1.5 rounded text-[13px] text-soft hover:text-ink"
      >
        <ArrowLeft className="size-3.5" aria-hidden="true" /> Other providers
      </button>
      {hasLogin && way !== "key" ? (
        <>
          <VendorLogin kind={kind} providerId={null} onBegun={() => setWay("waiting")} onDone={onClose} />
          {way === "login" ? (
            <Button look="quiet" className="w-full" onClick={() => setWay("key")}>
              Use an API key instead
            </Button>
          ) : null}
        </>
      ) : (
        <ProviderForm kind={kind} provider={null} onSaved={onSaved} onCancel={onClose} />
      )}
    </div>
  );
}

interface OneDialogProps {
  provider: Provider;
  onClose: () => void;
}

export function EditProviderDialog({ provider, onSaved, onClose }: OneDialogProps & Pick<AddDialogProps, "onSaved">) {
  const { kind, displayName } = provider;
  return (
    <Dialog title={`Edit ${displayName}`} onClose={onClose}>
      {kind === "guide" ? null : <ProviderForm kind={kind} provider={provider} onSaved={onSaved} onCancel={onClose} />}
    </Dialog>
  );
}

export function LogInAgainDialog({ provider, onClose }: OneDialogProps) {
  const { kind } = provider;
  return (
    <Dialog title={`Log in to ${kindName(kind)} again`} onClose={onClose}>
      {kind === "guide" ? null : (
        <VendorLogin kind={kind} providerId={provider.id} onBegun={() => {}} onDone={onClose} />
      )}
    </Dialog>
  );
}

const AFTERWARDS: Record<Provider["scope"], string> = {
  user: "Your next messages are answered by what is left.",
  workspace: "Everybody in that workspace is answered by what is left.",
  system: "Everybody on this instance is answered by what is left.",
};

export function RemoveProviderDialog({ provider, onClose }: OneDialogProps) {
  const remove = useMutation({
    mutationFn: () => api.providers.remove(provider.id),
    onSuccess: async () => {
      await refreshProviders();
      onClose();
    },
  });
  return (
    <Dialog title={`Remove ${provider.displayName}?`} onClose={onClose}>
      <div className="space-y-4">
        <p className="text-soft">
          {provider.credential.configured
            ? "Its key is erased here; at the vendor it stays good until you end it there. "
            : ""}
          {AFTERWARDS[provider.scope]}
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
