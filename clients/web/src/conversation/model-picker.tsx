import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, ChevronDown, Plus, Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { HEALTH_WORDS } from "../../../../shared/client/provider-words.ts";
import { type HealthState, partsOfModelName } from "../../../../shared/contract/model.ts";
import { modelsQuery } from "../app/api.ts";
import { HealthDot } from "../ui/health-dot.tsx";
import { choiceOf, type ModelChoice, modelChoices, searchChoices } from "./model-choices.ts";

interface ModelPickerProps {
  /** Where there is room for the list. */
  side?: "up" | "down";
  /** The pinned model, null where each message is routed. */
  pinned: string | null;
  onPick: (model: string | null) => void;
}

/** The model of this conversation, and a list to search for another. */
export function ModelPicker({ side = "up", pinned, onPick }: ModelPickerProps) {
  const { data } = useQuery(modelsQuery);
  const choices = useMemo(() => modelChoices(data ?? []), [data]);
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const current = choiceOf(choices, pinned);
  const label = pinned === null ? "Auto" : (current?.label ?? partsOfModelName(pinned).id);
  const trouble = current && (current.health === "down" || current.health === "degraded") ? current.health : null;
  const name = `Model: ${label}${trouble ? ` (${HEALTH_WORDS[trouble].toLowerCase()})` : ""}`;
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div ref={root} className="relative min-w-0">
      <button
        ref={button}
        type="button"
        aria-label={name}
        title={name}
        aria-haspopup="listbox"
        aria-expanded={open}
        onClick={() => setOpen((was) => !was)}
        className="flex h-8 min-w-0 max-w-[38vw] items-center gap-1.5 rounded-lg px-2.5 text-[13px] text-soft transition hover:bg-hover hover:text-ink sm:max-w-56"
      >
        {trouble ? <HealthDot state={trouble} /> : null}
        <span className="truncate">{label}</span>
        <ChevronDown className="size-3.5 shrink-0" />
      </button>
      {open ? (
        <Choices
          side={side}
          choices={choices}
          pinned={pinned}
          onPick={(model) => {
            close();
            onPick(model);
          }}
          onClose={close}
          onLeave={() => setOpen(false)}
        />
      ) : null}
    </div>
  );
}

interface ChoicesProps extends ModelPickerProps {
  choices: readonly ModelChoice[];
  onClose: () => void;
  /** The focus goes elsewhere by itself. */
  onLeave: () => void;
}

/** A search over a list: the focus stays in the text, arrows move, Enter takes, Esc closes. */
function Choices({ side, choices, pinned, onPick, onClose, onLeave }: ChoicesProps) {
  const [search, setSearch] = useState("");
  const found = searchChoices(choices, search);
  const options: (ModelChoice | null)[] = search === "" ? [null, ...found] : found;
  const current = choiceOf(choices, pinned);
  const [selected, setSelected] = useState(() => (current ? 1 + choices.indexOf(current) : 0));
  const at = Math.min(selected, options.length - 1);
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Tab") return onLeave();
    const option = options[at];
    if (event.key === "Escape") onClose();
    else if (event.key === "ArrowDown") setSelected((at + 1) % Math.max(1, options.length));
    else if (event.key === "ArrowUp") setSelected((at - 1 + options.length) % Math.max(1, options.length));
    else if (event.key === "Enter" && option !== undefined) onPick(option?.name ?? null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className={`absolute left-0 z-30 w-80 max-w-[calc(100vw-2rem)] animate-appear rounded-xl border border-line bg-raised shadow-float ${side === "up" ? "bottom-full mb-1.5" : "top-full mt-1.5"}`}
    >
      <label className="flex items-center gap-2 border-b border-line px-3.5">
        <Search className="size-4 shrink-0 text-soft" aria-hidden="true" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Search models"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={options.length > 0 ? `${listId}-${at}` : undefined}
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setSelected(0);
          }}
          onKeyDown={onKeyDown}
          placeholder="Search models"
          autoComplete="off"
          spellCheck={false}
          className="h-11 w-full bg-transparent text-[14px] outline-none placeholder:text-soft"
        />
      </label>
      <div id={listId} role="listbox" aria-label="Models" className="max-h-[min(18rem,30vh)] overflow-y-auto p-1">
        {options.map((choice, index) => (
          <Option
            key={choice?.name ?? "auto"}
            id={`${listId}-${index}`}
            choice={choice}
            chosen={choice === null ? pinned === null : choice === current}
            selected={index === at}
            onPick={() => onPick(choice?.name ?? null)}
          />
        ))}
        {options.length === 0 ? <p className="px-2.5 py-2 text-[14px] text-soft">No model is called that.</p> : null}
      </div>
      <Link
        to="/settings/providers"
        search={{ add: "1" }}
        className="flex items-center gap-2.5 rounded-b-xl border-t border-line px-3.5 py-2.5 text-[13px] text-soft hover:bg-hover hover:text-ink focus-visible:-outline-offset-2"
      >
        <Plus className="size-4" aria-hidden="true" /> Connect a provider
      </Link>
    </div>
  );
}

interface OptionProps {
  id: string;
  /** Null is the choice to let each message be routed. */
  choice: ModelChoice | null;
  chosen: boolean;
  selected: boolean;
  onPick: () => void;
}

function Option({ id, choice, chosen, selected, onPick }: OptionProps) {
  return (
    <button
      type="button"
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      ref={(node) => {
        if (selected) node?.scrollIntoView({ block: "nearest" });
      }}
      onPointerDown={(event) => event.preventDefault()}
      onClick={onPick}
      className={`flex w-full items-center text-left gap-2.5 rounded-lg px-2.5 py-1.5 ${selected ? "bg-hover" : "hover:bg-hover"}`}
    >
      <span className="min-w-0 flex-1">
        <span className="block truncate text-[14px]">{choice?.label ?? "Auto"}</span>
        <span className="flex items-center gap-1.5 text-[12px] text-soft">
          {choice ? (
            <Detail provider={choice.provider} health={choice.health} />
          ) : (
            "Your default, else the first healthy"
          )}
        </span>
      </span>
      {chosen ? <Check className="size-4 shrink-0 text-accent" aria-hidden="true" /> : null}
    </button>
  );
}

const Detail = ({ provider, health }: { provider: string; health: HealthState }) => (
  <>
    <HealthDot state={health} />
    <span className="truncate">
      {provider} · {HEALTH_WORDS[health].toLowerCase()}
    </span>
  </>
);
