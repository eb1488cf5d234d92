import type { Connection, Turn, View, ViewMessage } from "../../../shared/client/view-state.ts";
import { visibleText } from "../../../shared/client/visible-text.ts";
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

const TAKEN = {
  started: "saved",
  queued: "saved, comes after this answer",
  steered: "joins the running answer",
} as const;

function sendingMark({ error, kept }: ViewMessage): string {
  const unkept = kept ? "" : " (this device cannot keep it: stay until it is saved)";
  return error === null ? `sending…${unkept}` : `not sent yet: ${plainLine(error)}${unkept}`;
}

/** What has become of a message that was sent. */
export function sendMark(message: ViewMessage): string | null {
  switch (message.status) {
    case "sending":
      return sendingMark(message);
    case "saved":
      return TAKEN[message.taken ?? "started"];
    case "answered":
      return "✓";
    case "failed":
      return message.error === null ? "not answered" : plainLine(message.error);
    default:
      return null;
  }
}

/** One line; what would not be seen, or would turn the rest around, is written out. */
const inFull = (value: unknown): string =>
  visibleText(typeof value === "string" ? value : (JSON.stringify(value) ?? "")).replaceAll("\n", "\\n");

export interface Asking {
  callId: string;
  text: string;
}

/** The first tool call that waits for leave, as the question to the person; null where none does. */
export function askingOf({ running, turns }: View): Asking | null {
  const callId = running === null ? undefined : turns.get(running.turnId)?.needsApproval[0];
  const call = running?.parts.find((part) => part.type === "tool-call" && part.callId === callId);
  if (callId === undefined || call?.type !== "tool-call") return null;
  const text = `May \`${inFull(call.name)}\` run with ${inFull(call.input)}?\n y once · a always · n no`;
  return { callId, text };
}

/** Why what is said is not in the database yet; null where it is. */
export const storageLine = ({ session, connection }: View): string | null =>
  session?.storage === "offline" && connection.state === "open"
    ? "The database is away. Everything is kept and will be saved."
    : null;

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
