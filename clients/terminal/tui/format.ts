import type { Connection, Turn, View, ViewMessage } from "../../../shared/client/view-state.ts";
import type { SessionInfo } from "../../../shared/contract/frames.ts";
import { plainLine } from "../plain-text.ts";

/** `$0.0031`; small amounts keep two significant digits. */
function formatMicroUsd(microUsd: number): string {
  const usd = microUsd / 1_000_000;
  if (microUsd === 0) return "$0";
  return usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2)).toString()}`;
}

function formatCount(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** The line under an answer: which model, why, what it cost. Null while nobody knows. */
export function routedModelLine(message: ViewMessage): string | null {
  const receipt = message.turn?.receipt ?? null;
  const model = message.metadata.model ?? receipt?.chosen.model;
  if (model === undefined) return null;
  const cost = message.metadata.microUsd ?? receipt?.outcome?.microUsd;
  const parts = [model, receipt?.reason, cost === undefined ? undefined : formatMicroUsd(cost)];
  return `→ ${parts.flatMap((part) => (part ? [plainLine(part)] : [])).join(" · ")}`;
}

const MARKS: Partial<Record<ViewMessage["status"], string>> = {
  sending: "sending…",
  saved: "saved",
  failed: "not answered",
};

/** What has become of a message that was sent; nothing once it is answered. */
export const sendMark = (message: ViewMessage): string | null =>
  message.status === "failed" && message.error !== null ? plainLine(message.error) : (MARKS[message.status] ?? null);

export const noticeLine = (notice: Turn["notices"][number]): string => {
  const again = notice.canRetry ? " — /retry tries again" : "";
  return `${notice.kind}: ${plainLine(notice.text)}${again}`;
};

function connectionText(connection: Connection, storage: SessionInfo["storage"] | undefined): string {
  if (connection.state === "open") return storage === undefined ? "connected" : storage;
  if (connection.state === "waiting") return "offline, trying again";
  return connection.state;
}

/** Title, model, tokens, how full the window is, connection. */
export function footerText(view: View): string {
  const session = view.session;
  const parts = [view.title === null ? "" : plainLine(view.title)];
  if (session) {
    parts.push(plainLine(session.model?.id ?? "no model yet"));
    parts.push(`${formatCount(session.usage.inputTokens + session.usage.outputTokens)} tokens`);
    const { usedTokens, windowTokens } = session.context;
    if (windowTokens) parts.push(`${Math.min(100, Math.round((usedTokens / windowTokens) * 100))}% context`);
  }
  parts.push(connectionText(view.connection, session?.storage));
  return parts.filter((part) => part !== "").join(" · ");
}
