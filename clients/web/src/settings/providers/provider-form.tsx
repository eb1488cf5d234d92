import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "../../../../../shared/client/api-error.ts";
import type { ConnectableKind, Provider } from "../../../../../shared/contract/provider.ts";
import { api, meQuery, sentenceOf } from "../../app/api.ts";
import { Button } from "../../ui/button.tsx";
import { Field, SelectField } from "../../ui/field.tsx";
import { Note } from "../../ui/note.tsx";
import { audienceHint, audiencesOf } from "./audience.ts";
import { HeaderFields } from "./header-fields.tsx";
import { KeyField } from "./key-field.tsx";
import { PlaceFields } from "./place-fields.tsx";
import {
  changesOf,
  creationOf,
  type DraftErrors,
  draftOf,
  emptyDraft,
  errorsAt,
  isElsewhere,
  isLocal,
  type ProviderDraft,
} from "./provider-draft.ts";

interface ProviderFormProps {
  kind: ConnectableKind;
  /** The one that is changed; null makes a new one. */
  provider: Provider | null;
  onSaved: (provider: Provider) => void;
  onCancel: () => void;
}

/** The form's state and its one request; what the server refuses comes back to its field. */
function useProviderForm({ kind, provider, onSaved, onCancel }: ProviderFormProps) {
  const [draft, setDraft] = useState(() => (provider ? draftOf(provider) : emptyDraft(kind)));
  const [errors, setErrors] = useState<DraftErrors>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (changes: Partial<ProviderDraft>) => {
    setDraft((now) => ({ ...now, ...changes }));
    setErrors((now) => Object.fromEntries(Object.entries(now).filter(([field]) => !(field in changes))));
  };
  const save = async (): Promise<Provider | null> => {
    if (!provider) return await api.providers.create(creationOf(kind, draft));
    const changes = changesOf(draft, provider);
    return changes === null ? null : await api.providers.update(provider.id, changes);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const saved = await save();
      if (saved) onSaved(saved);
      else onCancel();
    } catch (thrown) {
      const found = thrown instanceof ApiError ? errorsAt(thrown.errors) : {};
      setErrors(found);
      if (Object.keys(found).length === 0) setProblem(sentenceOf(thrown));
      setBusy(false);
    }
  };
  return { draft, errors, problem, busy, change, submit };
}

export function ProviderForm(props: ProviderFormProps) {
  const { kind, provider, onCancel } = props;
  const { draft, errors, problem, busy, change, submit } = useProviderForm(props);
  const elsewhere = provider !== null && isElsewhere(draft, provider);
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-4" noValidate={false}>
      {problem ? <Note look="error">{problem}</Note> : null}
      {isLocal(kind) ? <PlaceFields kind={kind} draft={draft} errors={errors} onChange={change} /> : null}
      {kind === "ollama" || draft.place === "machine" ? null : (
        <KeyField
          kind={kind}
          value={draft.apiKey}
          saved={provider?.credential ?? null}
          mustComeAnew={elsewhere && provider?.credential.configured === true}
          error={errors.apiKey}
          onChange={(apiKey) => change({ apiKey })}
        />
      )}
      <Field
        label="Name"
        value={draft.displayName}
        onChange={(event) => change({ displayName: event.target.value })}
        error={errors.displayName}
        maxLength={100}
        autoComplete="off"
        required
      />
      {provider ? null : <AudienceField draft={draft} error={errors.audience} onChange={change} />}
      {draft.place === "machine" ? null : <More {...{ kind, provider, draft, errors, change, elsewhere }} />}
      <div className="flex justify-end gap-2 pt-1">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="primary" type="submit" disabled={busy}>
          {provider ? (busy ? "Saving…" : "Save") : busy ? "Connecting…" : "Connect"}
        </Button>
      </div>
    </form>
  );
}

interface AudienceFieldProps {
  draft: Pick<ProviderDraft, "audience" | "place">;
  error: string | undefined;
  onChange: (changes: Pick<ProviderDraft, "audience">) => void;
}

/** Asked only where there is a choice. */
function AudienceField({ draft, error, onChange }: AudienceFieldProps) {
  const { data: me } = useQuery(meQuery);
  const audiences = me ? audiencesOf(me) : [];
  if (audiences.length < 2) return null;
  return (
    <SelectField
      label="Who may use it"
      value={draft.audience}
      onChange={(event) => onChange({ audience: event.target.value })}
      error={error}
      hint={audienceHint(draft)}
    >
      {audiences.map((audience) => (
        <option key={audience.value} value={audience.value}>
          {audience.text}
        </option>
      ))}
    </SelectField>
  );
}

interface MoreProps extends Pick<ProviderFormProps, "kind" | "provider"> {
  draft: ProviderDraft;
  errors: DraftErrors;
  elsewhere: boolean;
  change: (changes: Partial<ProviderDraft>) => void;
}

/** What few need: another address of the vendor's API, and headers. Open where something is in it. */
function More({ kind, provider, draft, errors, elsewhere, change }: MoreProps) {
  const saved = provider?.config.headers ?? {};
  const isUsed = (!isLocal(kind) && draft.baseUrl !== "") || Object.keys(saved).length > 0;
  const wrong = errors.headers !== undefined || (!isLocal(kind) && errors.baseUrl !== undefined);
  return (
    <details open={isUsed || wrong || undefined} className="group rounded-xl border border-line px-3.5">
      <summary className="-mx-3.5 rounded-xl px-3.5 py-2.5 text-[14px] text-soft hover:text-ink">
        {isLocal(kind) ? "Headers, such as Cloudflare Access" : "Another address, headers"}
      </summary>
      <div className="space-y-4 pb-4 pt-1">
        {isLocal(kind) ? null : (
          <Field
            label="Address of the API"
            value={draft.baseUrl}
            onChange={(event) => change({ baseUrl: event.target.value })}
            error={errors.baseUrl}
            hint={
              kind === "anthropic"
                ? "Without /v1. Leave it empty for Anthropic itself."
                : "With its version path. Leave it empty for the vendor itself."
            }
            placeholder={kind === "anthropic" ? "https://gateway.example.org" : "https://gateway.example.org/v1"}
            inputMode="url"
            autoCapitalize="none"
            spellCheck={false}
          />
        )}
        <HeaderFields
          headers={draft.headers}
          saved={elsewhere ? {} : saved}
          error={errors.headers}
          onChange={(headers) => change({ headers })}
        />
      </div>
    </details>
  );
}
