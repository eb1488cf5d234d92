import { useQuery } from "@tanstack/react-query";
import { Check, ChevronDown } from "lucide-react";
import type { Model } from "../../../../shared/contract/model.ts";
import { modelsQuery } from "../app/api.ts";
import { Menu, MenuItem } from "../ui/menu.tsx";

interface ModelPickerProps {
  /** The pinned model, null where each message is routed. */
  pinned: string | null;
  onPick: (model: string | null) => void;
}

/** The name that commands and requests take: the vendor's id with its provider in front. */
export const modelName = (model: Model): string => `${model.provider}/${model.id}`;

const isPinned = (model: Model, pinned: string | null): boolean => pinned === model.id || pinned === modelName(model);

export function ModelPicker({ pinned, onPick }: ModelPickerProps) {
  const { data } = useQuery(modelsQuery);
  const models = (data ?? []).filter(({ capabilities }) => !capabilities.embedding);
  const current = models.find((model) => isPinned(model, pinned));
  const label = pinned === null ? "Auto" : (current?.name ?? pinned);
  return (
    <Menu
      label={`Model: ${label}`}
      align="left"
      side="up"
      triggerClass="flex h-8 min-w-0 max-w-[38vw] sm:max-w-56 items-center gap-1.5 rounded-lg px-2.5 text-[13px] text-soft transition hover:bg-hover hover:text-ink"
      trigger={
        <>
          <span className="truncate">{label}</span>
          <ChevronDown className="size-3.5 shrink-0" />
        </>
      }
    >
      {(close) => {
        const pick = (model: string | null) => () => {
          close();
          onPick(model);
        };
        return (
          <div className="w-72 max-w-[80vw]">
            <MenuItem checked={pinned === null} onSelect={pick(null)}>
              <Choice name="Auto" detail="Your default, else the first healthy" checked={pinned === null} />
            </MenuItem>
            {models.map((model) => (
              <MenuItem
                key={`${model.providerId}/${model.id}`}
                checked={isPinned(model, pinned)}
                onSelect={pick(modelName(model))}
              >
                <Choice
                  name={model.name}
                  detail={`${model.provider}${model.health === "down" ? " · not reachable" : ""}`}
                  checked={isPinned(model, pinned)}
                />
              </MenuItem>
            ))}
          </div>
        );
      }}
    </Menu>
  );
}

function Choice({ name, detail, checked }: { name: string; detail: string; checked: boolean }) {
  return (
    <>
      <span className="min-w-0 flex-1">
        <span className="block truncate">{name}</span>
        <span className="block truncate text-[12px] text-soft">{detail}</span>
      </span>
      {checked ? <Check className="size-4 shrink-0 text-accent" /> : null}
    </>
  );
}
