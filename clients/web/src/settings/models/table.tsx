import { ArrowDown, ArrowUp, Binary, Brain, Eye, type LucideIcon, Wrench } from "lucide-react";
import type { ReactNode } from "react";
import { HEALTH_WORDS, kindName, pricePerMTok } from "../../../../../shared/client/provider-words.ts";
import type { Model } from "../../../../../shared/contract/model.ts";
import { HealthDot } from "../../ui/health-dot.tsx";
import { type Capability, type Column, capabilitiesOf, formatWindow, isFree, type Order } from "./model-table.ts";

interface ModelTableProps {
  models: readonly Model[];
  order: Order;
  onOrder: (order: Order) => void;
  providerName: (model: Model) => string;
}

/** On a narrow screen the middle columns go, and what they say stands under the model's name. */
const WIDE = "max-md:hidden";

/** The capability matrix. */
export function ModelTable({ models, order, onOrder, providerName }: ModelTableProps) {
  const heading = (by: Column, name: string, look = "") => (
    <Heading by={by} name={name} order={order} onOrder={onOrder} look={look} />
  );
  return (
    <table className="w-full border-collapse text-[14px]">
      <caption className="sr-only">Models with tier, context window, prices, capabilities, health and source</caption>
      <thead className="text-left text-[13px] text-soft">
        <tr className="border-b border-line">
          {heading("name", "Model")}
          {heading("provider", "Provider", WIDE)}
          {heading("tier", "Tier", WIDE)}
          {heading("window", "Window", `${WIDE} text-right`)}
          {heading("price", "In / out", `${WIDE} text-right`)}
          <th scope="col" className={`px-3 py-2 font-medium ${WIDE}`}>
            Can
          </th>
          {heading("health", "Health")}
          <th scope="col" className="py-2 pl-3 font-medium max-lg:hidden">
            Facts from
          </th>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => (
          <Row key={`${model.providerId}/${model.id}`} model={model} providerName={providerName(model)} />
        ))}
      </tbody>
    </table>
  );
}

interface HeadingProps extends Pick<ModelTableProps, "order" | "onOrder"> {
  by: Column;
  name: string;
  look: string;
}

function Heading({ by, name, order, onOrder, look }: HeadingProps) {
  const isOrder = order.by === by;
  const Arrow = order.descending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={isOrder ? (order.descending ? "descending" : "ascending") : "none"}
      className={`px-1 py-1 font-medium first:pl-0 ${look}`}
    >
      <button
        type="button"
        onClick={() => onOrder({ by, descending: isOrder && !order.descending })}
        className={`inline-flex items-center gap-1 rounded-md px-2 py-1 hover:bg-hover hover:text-ink ${isOrder ? "text-ink" : ""}`}
      >
        {name}
        <Arrow className={`size-3 ${isOrder ? "" : "opacity-0"}`} aria-hidden="true" />
      </button>
    </th>
  );
}

function pricesOf(model: Model): string {
  if (isFree(model)) return "free";
  if (model.prices === null) return "not known";
  const { inputMicroUsdPerMTok: input, outputMicroUsdPerMTok: output } = model.prices;
  return `${pricePerMTok(input)}\u00a0/\u00a0${pricePerMTok(output)}`;
}

/** Everything about the price that the cell is too narrow for. */
function priceTitle({ prices }: Model): string | undefined {
  if (prices === null) return undefined;
  const { cachedInputMicroUsdPerMTok: cached, steps = [] } = prices;
  const parts = [
    ...(cached === undefined ? [] : [`${pricePerMTok(cached)} for input from the cache`]),
    ...steps.map(
      (step) =>
        `above ${formatWindow(step.aboveInputTokens)} tokens in: ${pricePerMTok(step.inputMicroUsdPerMTok)} / ${pricePerMTok(step.outputMicroUsdPerMTok)}`,
    ),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}

const windowOf = ({ contextWindow }: Model): string =>
  contextWindow === null ? "not known" : formatWindow(contextWindow);

function Row({ model, providerName }: { model: Model; providerName: string }) {
  const soft = (text: string) => (text === "not known" ? "text-soft" : "");
  const kind = kindName(model.provider);
  return (
    <tr className="border-b border-line align-top">
      <th scope="row" className="py-2.5 pl-2 pr-3 text-left font-normal">
        <span className="block break-words font-medium">{model.name}</span>
        {model.name === model.id ? null : (
          <span className="block break-words font-mono text-[12px] text-soft">{model.id}</span>
        )}
        <Narrow>{[providerName, model.tier, windowOf(model), pricesOf(model)].join(" · ")}</Narrow>
        <Narrow>
          {capabilitiesOf(model)
            .filter((name) => name !== "streaming")
            .join(", ")}
        </Narrow>
      </th>
      <td className={`px-3 py-2.5 ${WIDE}`}>
        {providerName}
        {providerName === kind ? null : <span className="block text-[12px] text-soft">{kind}</span>}
      </td>
      <td className={`px-3 py-2.5 ${WIDE}`}>{model.tier}</td>
      <td className={`whitespace-nowrap px-3 py-2.5 text-right tabular-nums ${WIDE}`}>
        <span className={soft(windowOf(model))}>{windowOf(model)}</span>
        {model.maxOutputTokens === null ? null : (
          <span className="block text-[12px] text-soft">{formatWindow(model.maxOutputTokens)} out</span>
        )}
      </td>
      <td title={priceTitle(model)} className={`whitespace-nowrap px-3 py-2.5 text-right tabular-nums ${WIDE}`}>
        <span className={`whitespace-nowrap ${soft(pricesOf(model))}`}>{pricesOf(model)}</span>
        {priceTitle(model) === undefined ? null : (
          <span className="block text-[12px] text-soft">{model.prices?.steps ? "in steps" : "less from cache"}</span>
        )}
      </td>
      <td className={`px-3 py-2.5 ${WIDE}`}>
        <Capabilities model={model} />
      </td>
      <td className="px-3 py-2.5">
        <span className="flex items-center gap-2 whitespace-nowrap">
          <HealthDot state={model.health} />
          <span className="max-sm:whitespace-normal">{HEALTH_WORDS[model.health]}</span>
        </span>
      </td>
      <td className="py-2.5 pl-3 text-[13px] text-soft max-lg:hidden">
        {model.source}
        <span className="block whitespace-nowrap text-[12px]">{model.asOf.slice(0, 10)}</span>
      </td>
    </tr>
  );
}

const Narrow = ({ children }: { children: ReactNode }) => (
  <span className="block text-[13px] text-soft md:hidden">{children}</span>
);

const ICONS: Partial<Record<Capability, LucideIcon>> = {
  tools: Wrench,
  vision: Eye,
  reasoning: Brain,
  embedding: Binary,
};

function Capabilities({ model }: { model: Model }) {
  return (
    <ul className="flex gap-2">
      {capabilitiesOf(model).map((name) => {
        const Icon = ICONS[name];
        // Every model that chats streams: said to those who read, not drawn for those who look.
        return (
          <li key={name} title={name}>
            {Icon ? <Icon className="size-4 text-soft" aria-hidden="true" /> : null}
            <span className="sr-only">{name}</span>
          </li>
        );
      })}
    </ul>
  );
}
