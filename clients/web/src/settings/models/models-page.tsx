import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RefreshCw, Search } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { kindName } from "../../../../../shared/client/provider-words.ts";
import type { Model } from "../../../../../shared/contract/model.ts";
import { api, modelsQuery, providersQuery, refreshProviders, sentenceOf } from "../../app/api.ts";
import { Button } from "../../ui/button.tsx";
import { inputLook } from "../../ui/field.tsx";
import { Note } from "../../ui/note.tsx";
import { SettingsFrame } from "../settings-frame.tsx";
import { matching, type Order, sorted } from "./model-table.ts";
import { ModelTable } from "./table.tsx";

/** More rows than this are drawn only when asked for. */
const FIRST_ROWS = 100;

/** The name that a person gave the instance which serves a model. */
function useProviderName(): (model: Model) => string {
  const { data } = useQuery(providersQuery);
  return useMemo(() => {
    const names = new Map(data?.items.map(({ id, displayName }) => [id, displayName]));
    return ({ providerId, provider }: Model) => names.get(providerId) ?? kindName(provider);
  }, [data]);
}

export function ModelsPage() {
  const { data: models, error } = useQuery(modelsQuery);
  const [search, setSearch] = useState("");
  const refresh = useMutation({ mutationFn: () => api.models.refresh(), onSettled: refreshProviders });
  const problem = error ?? refresh.error;
  return (
    <SettingsFrame
      title="Models"
      lead="What can answer you, what it can do and what it costs: dollars for a million tokens in and out."
      wide
    >
      <div className="mb-4 flex gap-2">
        <label className="relative min-w-0 flex-1">
          <span className="sr-only">Search models</span>
          <Search className="pointer-events-none absolute left-3.5 top-3.5 size-4 text-soft" aria-hidden="true" />
          <input
            type="search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setSearch("")}
            placeholder="Search: claude, vision, local, free…"
            className={`${inputLook} pl-10`}
          />
        </label>
        <Button size="large" className="shrink-0" disabled={refresh.isPending} onClick={() => refresh.mutate()}>
          <RefreshCw className={`size-4 ${refresh.isPending ? "animate-spin" : ""}`} aria-hidden="true" />
          <span className="max-sm:sr-only">{refresh.isPending ? "Asking…" : "Refresh"}</span>
        </Button>
      </div>
      {problem ? <Note look="error">{sentenceOf(problem)}</Note> : null}
      {models ? <Found models={models} search={search} /> : problem ? null : <p className="text-soft">Loading…</p>}
    </SettingsFrame>
  );
}

function Found({ models, search }: { models: readonly Model[]; search: string }) {
  const providerName = useProviderName();
  const sought = useDeferredValue(search);
  const [order, setOrder] = useState<Order>({ by: "health", descending: false });
  const [showsAll, setShowsAll] = useState(false);
  const found = useMemo(
    () => sorted(matching(models, sought, providerName), order, providerName),
    [models, sought, order, providerName],
  );
  if (models.every(({ provider }) => provider === "guide")) return <NothingConnected />;
  const shown = showsAll ? found : found.slice(0, FIRST_ROWS);
  return (
    <>
      <p role="status" className="mb-2 text-[13px] text-soft">
        {found.length === models.length ? `${models.length} models` : `${found.length} of ${models.length} models`}
      </p>
      {found.length === 0 ? (
        <p className="py-10 text-center text-soft">No model fits “{sought}”.</p>
      ) : (
        <ModelTable models={shown} order={order} onOrder={setOrder} providerName={providerName} />
      )}
      {shown.length < found.length ? (
        <p className="pt-4 text-center">
          <Button onClick={() => setShowsAll(true)}>Show all {found.length}</Button>
        </p>
      ) : null}
    </>
  );
}

function NothingConnected() {
  return (
    <p className="rounded-xl bg-accent-wash px-4 py-3.5">
      Only the built-in guide answers yet.{" "}
      <Link to="/settings/providers" search={{ add: "1" }} className="font-medium text-accent hover:underline">
        Connect a provider
      </Link>{" "}
      and its models stand here.
    </p>
  );
}
