import type { ReactNode } from "react";
import type { Message } from "../../../../shared/contract/message.ts";
import type { Receipt } from "../../../../shared/contract/receipt.ts";
import { Dialog } from "../ui/dialog.tsx";
import { formatCost, formatCount, formatDuration, formatMicroUsd } from "./format.ts";

interface ReceiptDialogProps {
  receipt: Receipt;
  metadata: Message["metadata"];
  onClose: () => void;
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7.5rem_1fr] gap-3 py-1.5 text-[14px] max-sm:grid-cols-1 max-sm:gap-0">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

const percent = (share: number): string => `${Math.round(share * 100)}% sure`;

function Classified({ receipt }: { receipt: Receipt }) {
  const { classification, predicted, chosen } = receipt;
  const { taskType, complexity, domain, confidence, requiredCapabilities } = classification;
  const cost = formatCost(predicted.microUsd, chosen.provider);
  return (
    <>
      <Row name="Taken for">
        {confidence.taskType === 0 ? (
          <span className="text-soft">not judged</span>
        ) : (
          <>
            {taskType}, {complexity}, {domain} <span className="text-soft">({percent(confidence.taskType)})</span>
          </>
        )}
      </Row>
      {requiredCapabilities.length > 0 ? <Row name="Needs">{requiredCapabilities.join(", ")}</Row> : null}
      <Row name="Expected">
        {[`${formatCount(predicted.inputTokens)} in`, `${formatCount(predicted.outputTokens)} out`, cost]
          .filter(Boolean)
          .join(", ")}
      </Row>
    </>
  );
}

function Outcome({ receipt, metadata }: Pick<ReceiptDialogProps, "receipt" | "metadata">) {
  const { usage, microUsd, latencyMs, provider } = metadata;
  const cost = microUsd === undefined ? null : formatCost(microUsd, provider);
  const premium = receipt.outcome?.premiumMicroUsd ?? 0;
  return (
    <>
      {usage ? (
        <Row name="Used">
          {formatCount(usage.inputTokens)} in
          {usage.cachedTokens > 0 ? ` (${formatCount(usage.cachedTokens)} from cache)` : ""},{" "}
          {formatCount(usage.outputTokens)} out
          {latencyMs === undefined ? "" : ` in ${formatDuration(latencyMs)}`}
        </Row>
      ) : null}
      {cost === null ? null : (
        <Row name="Cost">
          {cost}
          {premium > (microUsd ?? 0) ? (
            <span className="text-soft"> instead of {formatMicroUsd(premium)} with the dearest</span>
          ) : null}
        </Row>
      )}
    </>
  );
}

function Others({ receipt }: { receipt: Receipt }) {
  return (
    <>
      {receipt.alternatives.length > 0 ? (
        <section className="mt-4">
          <h3 className="mb-1 text-[13px] font-medium">What else was possible</h3>
          <ul className="text-[14px]">
            {receipt.alternatives.map(({ provider, model, microUsd }) => (
              <li key={`${provider}/${model}`} className="flex justify-between gap-3 py-1">
                <span className="min-w-0 break-words">
                  {model} <span className="text-soft">· {provider}</span>
                </span>
                <span className="shrink-0 text-soft tabular-nums">{formatCost(microUsd, provider)}</span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {receipt.rejected.length > 0 ? (
        <section className="mt-4">
          <h3 className="mb-1 text-[13px] font-medium">What was passed over</h3>
          <ul className="text-[14px]">
            {receipt.rejected.map(({ providerId, model, why }) => (
              <li key={`${providerId}/${model}`} className="py-1">
                {model} <span className="text-soft">· {why}</span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

/** Why this model answered, as the server stored it with the answer. */
export function ReceiptDialog({ receipt, metadata, onClose }: ReceiptDialogProps) {
  return (
    <Dialog title="Why this model" onClose={onClose}>
      <p className="mb-3 rounded-xl bg-accent-wash px-3.5 py-2.5 text-[15px]">{receipt.reason}</p>
      <dl className="divide-y divide-line">
        <Row name="Chosen">
          <strong className="font-semibold">{receipt.chosen.model}</strong>{" "}
          <span className="text-soft">· {receipt.chosen.displayName ?? receipt.chosen.provider}</span>
        </Row>
        <Row name="Decided by">
          {receipt.pinned
            ? "your pin"
            : receipt.rule
              ? `the rule “${receipt.rule.name}” (${receipt.rule.scope})`
              : "the default order"}
          {receipt.configuration === "snapshot" ? (
            <span className="text-soft"> · from the last good settings</span>
          ) : null}
        </Row>
        <Classified receipt={receipt} />
        {receipt.sticky ? (
          <Row name="Switching">
            {receipt.sticky.kept ? "stayed with the model of this conversation" : "worth changing the model"}
            <span className="text-soft">
              {" "}
              (saves {formatMicroUsd(receipt.sticky.savingMicroUsd)}, loses{" "}
              {formatMicroUsd(receipt.sticky.cacheLossMicroUsd)} of cache)
            </span>
          </Row>
        ) : null}
        <Outcome receipt={receipt} metadata={metadata} />
      </dl>
      <Others receipt={receipt} />
    </Dialog>
  );
}
