import { KIND_WORDS } from "../../../../../shared/client/provider-words.ts";
import { ConnectableKind } from "../../../../../shared/contract/provider.ts";

/** What there is to connect, one button each. */
export function KindGrid({ onPick }: { onPick: (kind: ConnectableKind) => void }) {
  return (
    <ul className="grid gap-2 sm:grid-cols-2">
      {ConnectableKind.options.map((kind, at) => (
        <li key={kind}>
          <button
            type="button"
            data-first-focus={at === 0 || undefined}
            onClick={() => onPick(kind)}
            className="h-full w-full rounded-xl border border-line bg-raised px-4 py-3 text-left transition hover:border-accent/50 hover:bg-hover"
          >
            <span className="block text-[15px] font-medium">{KIND_WORDS[kind].name}</span>
            <span className="mt-0.5 block text-[13px] text-soft">{KIND_WORDS[kind].what}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
