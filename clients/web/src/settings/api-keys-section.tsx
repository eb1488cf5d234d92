import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { sentenceOf } from "../app/api.ts";
import { type ApiKey, authApi } from "../auth/auth-api.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { inputLook } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";

const KEYS = ["api-keys"];
const date = (iso: string): string => new Date(iso).toLocaleDateString(undefined, { dateStyle: "medium" });

export function ApiKeysSection() {
  const client = useQueryClient();
  const keys = useQuery({ queryKey: KEYS, queryFn: () => authApi.apiKeys() });
  const refresh = () => client.invalidateQueries({ queryKey: KEYS });
  const create = useMutation({ mutationFn: (name: string) => authApi.createApiKey(name), onSuccess: refresh });
  const revoke = useMutation({ mutationFn: (id: string) => authApi.revokeApiKey(id), onSuccess: refresh });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get("name")).trim();
    if (name !== "") create.mutate(name, { onSuccess: () => form.reset() });
  };
  const problem = keys.error ?? create.error ?? revoke.error;
  return (
    <div className="space-y-4">
      {problem ? <Note look="error">{sentenceOf(problem)}</Note> : null}
      {create.data ? <NewKey value={create.data.key} /> : null}
      {keys.data && keys.data.length > 0 ? (
        <ul className="divide-y divide-line rounded-xl border border-line">
          {keys.data.map((key) => (
            <KeyRow key={key.id} apiKey={key} onRevoke={() => revoke.mutate(key.id)} />
          ))}
        </ul>
      ) : null}
      <form onSubmit={submit} className="flex gap-2 max-sm:flex-col">
        <input
          name="name"
          aria-label="Name of the new key"
          placeholder="What is it for?"
          required
          maxLength={32}
          className={inputLook}
        />
        <Button type="submit" size="large" className="shrink-0" disabled={create.isPending}>
          Create key
        </Button>
      </form>
    </div>
  );
}

function NewKey({ value }: { value: string }) {
  return (
    <div role="status" className="rounded-xl bg-accent-wash px-4 py-3">
      <p className="text-[14px] font-medium">Copy it now: it is shown this once.</p>
      <p className="mt-1.5 flex items-center gap-2">
        <code className="min-w-0 break-all font-mono text-[13px]">{value}</code>
        <CopyButton text={value} label="Copy key" />
      </p>
    </div>
  );
}

function KeyRow({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <KeyRound className="size-4 shrink-0 text-soft" aria-hidden="true" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-[14px]">{apiKey.name ?? "Unnamed"}</p>
        <p className="truncate text-[13px] text-soft">
          {apiKey.start ? `${apiKey.start}… · ` : ""}made {date(apiKey.createdAt)}
          {apiKey.lastRequest ? ` · last used ${date(apiKey.lastRequest)}` : ""}
        </p>
      </div>
      {asking ? (
        <>
          <Button look="danger" size="small" onClick={onRevoke}>
            Revoke for good
          </Button>
          <Button look="quiet" size="small" onClick={() => setAsking(false)}>
            Keep
          </Button>
        </>
      ) : (
        <Button look="quiet" size="small" onClick={() => setAsking(true)}>
          Revoke
        </Button>
      )}
    </li>
  );
}
