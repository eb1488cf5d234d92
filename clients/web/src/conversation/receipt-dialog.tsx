import type { ReactNode } from "react";
import type { Message } from "../../../../shared/contract/message.ts";
import type { Receipt } from "../../../../shared/contract/receipt.ts";
import { Dialog } from "../ui/dialog.tsx";
import { formatCount, formatDuration, formatMicroUsd } from "./format.ts";

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
  const { classification, predicted } = receipt;
  return (
    <>
      <Row name="Taken for">
        {classification.taskType}, {classification.complexity}, {classification.domain}{" "}
        <span className="text-soft">({percent(classification.confidence.taskType)})</span>
      </Row>
      {classification.requiredCapabilities.length > 0 ? (
        <Row name="Needs">{classification.requiredCapabilities.join(", ")}</Row>
      ) : null}
      <Row name="Expected">
        {formatCount(predicted.inputTokens)} in, {formatCount(predicted.outputTokens)} out,{" "}
        {formatMicroUsd(predicted.microUsd)}
      </Row>
    </>
  );
}

function Outcome({ receipt, metadata }: Pick<ReceiptDialogProps, "receipt" | "metadata">) {
  const { usage, microUsd, latencyMs } = metadata;
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
      {microUsd === undefined ? null : (
        <Row name="Cost">
          {formatMicroUsd(microUsd)}
          {receipt.outcome && receipt.outcome.premiumMicroUsd > microUsd ? (
            <span className="text-soft">
              {" "}
              instead of {formatMicroUsd(receipt.outcome.premiumMicroUsd)} with the dearest
            </span>
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
                <span className="shrink-0 text-soft tabular-nums">{formatMicroUsd(microUsd)}</span>
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
          <span className="text-soft">· {receipt.chosen.provider}</span>
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
