import { Plus, X } from "lucide-react";
import { useRef } from "react";
import type { Provider } from "../../../../../shared/contract/provider.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { inputLook } from "../../ui/field.tsx";
import type { HeaderDraft } from "./provider-draft.ts";

interface HeaderFieldsProps {
  headers: readonly HeaderDraft[] | null;
  /** Those that are saved: their names, and what may be shown of their values. */
  saved: NonNullable<Provider["config"]["headers"]>;
  error: string | undefined;
  onChange: (headers: HeaderDraft[] | null) => void;
}

const ACCESS_HEADERS = ["CF-Access-Client-Id", "CF-Access-Client-Secret"];

let lastKey = 0;
function row(name = ""): HeaderDraft {
  lastKey += 1;
  return { key: lastKey, name, value: "" };
}

/** Headers that go with every request, for gateways in front of a model server. Values are secrets: never shown again. */
export function HeaderFields({ headers, saved, error, onChange }: HeaderFieldsProps) {
  const names = Object.keys(saved);
  const root = useRef<HTMLDivElement>(null);
  const begin = (added: readonly string[]) => {
    const before = (headers ?? []).filter(({ name, value }) => name !== "" || value !== "");
    onChange([...before, ...added.map(row)]);
    const at = before.length;
    requestAnimationFrame(() => {
      const inputs = root.current?.querySelectorAll("input") ?? [];
      inputs[at * 2 + (added[0] === "" ? 0 : 1)]?.focus();
    });
  };
  return (
    <div ref={root} className="space-y-2">
      <p className="text-[13px] font-medium">Headers</p>
      {headers === null && names.length > 0 ? (
        <SavedHeaders saved={saved} onReplace={() => begin(names)} onRemove={() => onChange([])} />
      ) : (
        <>
          {(headers ?? []).map((header) => (
            <HeaderRow
              key={header.key}
              header={header}
              invalid={error !== undefined}
              onChange={(changed) =>
                onChange((headers ?? []).map((each) => (each.key === header.key ? changed : each)))
              }
              onRemove={() => onChange((headers ?? []).filter(({ key }) => key !== header.key))}
            />
          ))}
          <div className="flex flex-wrap gap-2">
            <Button size="small" onClick={() => begin(ACCESS_HEADERS)}>
              <Plus className="size-3.5" aria-hidden="true" /> Cloudflare Access
            </Button>
            <Button size="small" look="quiet" onClick={() => begin([""])}>
              <Plus className="size-3.5" aria-hidden="true" /> Other header
            </Button>
          </div>
          {headers?.length === 0 && names.length > 0 ? (
            <p className="text-[13px] text-soft">The saved headers go when you save.</p>
          ) : null}
        </>
      )}
      {error ? (
        <p role="alert" className="text-[13px] text-danger">
          {error}
        </p>
      ) : null}
    </div>
  );
}

interface SavedHeadersProps extends Pick<HeaderFieldsProps, "saved"> {
  onReplace: () => void;
  onRemove: () => void;
}

function SavedHeaders({ saved, onReplace, onRemove }: SavedHeadersProps) {
  return (
    <div className="space-y-2 rounded-xl border border-line px-3.5 py-3">
      <ul className="text-[13px]">
        {Object.entries(saved).map(([name, { hint }]) => (
          <li key={name} className="break-words font-mono">
            {name}: <span className="text-soft">{hint ?? "saved"}</span>
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <Button size="small" onClick={onReplace}>
          Replace headers
        </Button>
        <Button size="small" look="quiet" onClick={onRemove}>
          Remove headers
        </Button>
      </div>
    </div>
  );
}

interface HeaderRowProps {
  header: HeaderDraft;
  invalid: boolean;
  onChange: (header: HeaderDraft) => void;
  onRemove: () => void;
}

function HeaderRow({ header, invalid, onChange, onRemove }: HeaderRowProps) {
  const name = header.name || "new header";
  const shared = { className: inputLook, autoComplete: "off", spellCheck: false, "aria-invalid": invalid || undefined };
  return (
    <div className="flex items-center gap-2 max-sm:flex-wrap">
      <input
        {...shared}
        aria-label="Name of the header"
        placeholder="Name"
        value={header.name}
        onChange={(event) => onChange({ ...header, name: event.target.value })}
      />
      <div className="flex w-full items-center gap-2">
        <input
          {...shared}
          type="password"
          aria-label={`Value of ${name}`}
          placeholder="Value"
          value={header.value}
          onChange={(event) => onChange({ ...header, value: event.target.value })}
        />
        <IconButton label={`Remove ${name}`} onClick={onRemove}>
          <X className="size-4" />
        </IconButton>
      </div>
    </div>
  );
}
