import type { ServerFrame } from "../../shared/contract/frames.ts";
import { detach } from "./attachments.ts";
import { replay, snapshotOf } from "./handle-frame.ts";
import { eventFrame, type Room } from "./room.ts";
import type { Attachment, Listener } from "./sessions.ts";

/** Characters that may wait for a slow reader before it is cut; it resumes by `Last-Event-ID`. */
const MAX_WAITING = 4 * 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const sse = (frame: ServerFrame, text = JSON.stringify(frame)): string =>
  frame.type === "event" ? `id: ${frame.seq}\ndata: ${text}\n\n` : `data: ${text}\n\n`;

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

interface StreamPlan {
  /** Sent first, before anything live. */
  first: Iterable<ServerFrame>;
  wants: (frame: ServerFrame) => boolean;
  /** Nothing more will come after the first frames. */
  isOver?: boolean;
  /** After this frame the stream ends. */
  isLast: (frame: ServerFrame) => boolean;
}

function open(room: Room, attachment: Attachment, plan: StreamPlan): Response {
  let stop = (): void => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const alive = setInterval(() => controller.enqueue(encode(": alive\n\n")), KEEP_ALIVE_MS);
        let ended = false;
        const end = (): void => {
          if (ended) return;
          ended = true;
          stop();
          controller.close();
        };
        const push = (frame: ServerFrame, text?: string): void => {
          if (ended || !plan.wants(frame)) return;
          controller.enqueue(encode(sse(frame, text)));
          if (plan.isLast(frame) || (controller.desiredSize ?? 0) < -MAX_WAITING) end();
        };
        const listener: Listener = { attachment, push, end };
        const unlisten = room.sessions.listen(listener);
        stop = () => {
          clearInterval(alive);
          unlisten();
          stop = () => {};
          detach(room, attachment);
        };
        for (const frame of plan.first) push(frame);
        if (plan.isOver) end();
      },
      cancel: () => stop(),
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  return new Response(stream, { headers: HEADERS });
}

/** Everything from a position on, and all that comes: the socket's frames for those who cannot open one. */
export function streamEvents(room: Room, attachment: Attachment, after: number): Response {
  const { running } = room.queue;
  const now = running?.turn.state === "running" ? [snapshotOf(running)] : [];
  return open(room, attachment, { first: [...replay(room, after), ...now], wants: () => true, isLast: () => false });
}

/** The frames of one turn, from what is there already to its ending. */
export function streamTurn(
  room: Room,
  attachment: Attachment,
  message: { messageId: string; turnId: string | null; ack: ServerFrame },
): Response {
  const { messageId, turnId, ack } = message;
  const wants = (frame: ServerFrame): boolean => {
    if (frame.type === "ack") return frame.id === messageId;
    if (frame.type === "message:delta" || frame.type === "message:snapshot") return frame.turnId === turnId;
    if (frame.type !== "event") return false;
    const { event } = frame;
    if ("turnId" in event) return event.turnId === turnId;
    return event.type === "message:added" && event.message.id === messageId;
  };
  const isLast = (frame: ServerFrame): boolean =>
    frame.type === "event" && "turnId" in frame.event && isEnding(frame.event);
  const said = room.journal.eventsAfter((ack.type === "ack" ? ack.seq : 1) - 1, 1_000).map(eventFrame);
  const { running } = room.queue;
  const now = running && running.turn.id === turnId && running.turn.state === "running" ? [snapshotOf(running)] : [];
  const turn = turnId === null ? null : room.turns.find(turnId);
  const isOver = turn?.state !== "queued" && turn?.state !== "running";
  return open(room, attachment, { first: [ack, ...said, ...now], wants, isLast, isOver });
}

const isEnding = (event: { type: string; willContinue?: boolean }): boolean =>
  event.type === "turn:completed" ||
  event.type === "turn:failed" ||
  (event.type === "turn:interrupted" && event.willContinue === false);
