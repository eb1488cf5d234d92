import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Connector } from "../../../../../shared/contract/connector.ts";
import type { ConnectableKind } from "../../../../../shared/contract/provider.ts";
import { connectorsQuery } from "../../app/api.ts";
import { Field, SelectField } from "../../ui/field.tsx";
import type { DraftErrors, ProviderDraft } from "./provider-draft.ts";

interface PlaceFieldsProps {
  kind: ConnectableKind;
  draft: ProviderDraft;
  errors: DraftErrors;
  onChange: (changes: Partial<ProviderDraft>) => void;
}

const EXAMPLE: Partial<Record<ConnectableKind, string>> = {
  ollama: "https://ollama.example.org",
  "openai-compatible": "https://models.example.org/v1",
};

/** Where a model server of one's own is: at an address, or on a machine that dials in. */
export function PlaceFields({ kind, draft, errors, onChange }: PlaceFieldsProps) {
  return (
    <fieldset className="space-y-3">
      <legend className="mb-1.5 text-[13px] font-medium">Where does it run?</legend>
      <div className="grid grid-cols-2 gap-1 rounded-xl bg-hover p-1">
        <PlaceChoice name="At an address" place="address" draft={draft} onChange={onChange} />
        <PlaceChoice name="On my machine" place="machine" draft={draft} onChange={onChange} />
      </div>
      {draft.place === "address" ? (
        <Field
          label="Address"
          value={draft.baseUrl}
          onChange={(event) => onChange({ baseUrl: event.target.value })}
          error={errors.baseUrl}
          hint={
            kind === "ollama"
              ? "Reachable from where Mosaic runs. Never open Ollama’s port to the internet: put Cloudflare Access in front, or choose a machine."
              : "With its version path, as the server’s own documentation gives it."
          }
          placeholder={EXAMPLE[kind]}
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      ) : (
        <MachineFields kind={kind} draft={draft} errors={errors} onChange={onChange} />
      )}
    </fieldset>
  );
}

interface PlaceChoiceProps extends Pick<PlaceFieldsProps, "draft" | "onChange"> {
  name: string;
  place: ProviderDraft["place"];
}

function PlaceChoice({ name, place, draft, onChange }: PlaceChoiceProps) {
  return (
    <label className="flex h-9 cursor-pointer items-center justify-center rounded-lg px-2 text-center text-[14px] text-soft has-checked:bg-raised has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent">
      <input
        type="radio"
        name="place"
        className="sr-only"
        checked={draft.place === place}
        onChange={() => onChange({ place })}
      />
      {name}
    </label>
  );
}

/** The choices as `machine/upstream`, so that one list holds both. */
const choicesOf = (machines: readonly Connector[], kind: ConnectableKind) =>
  machines.flatMap(({ id, name, state, upstreams }) =>
    upstreams
      .filter((upstream) => upstream.kind === kind)
      .map((upstream) => ({
        value: `${id}/${upstream.name}`,
        text: `${name} · ${upstream.name}${state === "offline" ? " (offline now)" : ""}`,
      })),
  );

function MachineFields({ kind, draft, errors, onChange }: PlaceFieldsProps) {
  const { data: machines } = useQuery(connectorsQuery);
  if (!machines) return <p className="text-[14px] text-soft">Looking for your machines…</p>;
  const choices = choicesOf(machines, kind);
  if (choices.length === 0)
    return (
      <p className="rounded-xl bg-hover px-3.5 py-3 text-[14px] text-soft">
        None of your machines offers this yet.{" "}
        <Link to="/settings/machines" className="text-accent hover:underline">
          Connect a machine
        </Link>
        : what it offers is added here by itself.
      </p>
    );
  return (
    <SelectField
      label="Machine"
      value={draft.connectorId === "" ? "" : `${draft.connectorId}/${draft.upstream || kind}`}
      onChange={(event) => {
        const [connectorId = "", upstream = ""] = event.target.value.split("/");
        onChange({ connectorId, upstream });
      }}
      error={errors.connectorId ?? errors.upstream}
      required
    >
      <option value="" disabled>
        Choose one
      </option>
      {choices.map(({ value, text }) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </SelectField>
  );
}
