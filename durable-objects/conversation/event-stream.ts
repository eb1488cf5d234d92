import type { ConversationEvent } from "../../shared/contract/events.ts";
import type { ServerFrame } from "../../shared/contract/frames.ts";
import { type EventLog, eventLog, eventText } from "./event-log.ts";
import type { Attachment, Listener } from "./reader.ts";
import type { Room } from "./room.ts";
import { runningSnapshot } from "./running-snapshot.ts";
import { broadcastSession, sessionInfo } from "./session-info.ts";

/** Bytes that may wait for a slow reader before it is cut; it resumes by `Last-Event-ID`. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Bytes of a replay that are read ahead of the reader. */
const READ_AHEAD = 256 * 1024;
const PAGE = { events: 200, length: READ_AHEAD };
const KEEP_ALIVE_MS = 15_000;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

interface StreamPlan {
  /** Sent before anything else. */
  first: readonly ServerFrame[];
  /** The position in the log to go on after. */
  after: number;
  wants: (frame: ServerFrame) => boolean;
  /** After this frame the stream ends. */
  isLast: (frame: ServerFrame) => boolean;
  /** Asked at the end of the log: nothing more will come. */
  isOver: () => boolean;
}

/**
 * An SSE stream as a reader of the log. Until it has caught up it takes the log at its reader's pace, and what happens
 * meanwhile comes in its place; then it hears live frames.
 */
class EventStream implements Listener {
  readonly attachment: Attachment;
  readonly #room: Room;
  readonly #plan: StreamPlan;
  readonly #log: EventLog;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly #unlisten: () => void;
  #keepAlive: { cancel(): void };
  #position: number;
  #isLive = false;
  #hasEnded = false;

  constructor(
    room: Room,
    attachment: Attachment,
    plan: StreamPlan,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ) {
    this.attachment = attachment;
    this.#room = room;
    this.#plan = plan;
    this.#log = eventLog(room.journal, room.storage.sql);
    this.#controller = controller;
    this.#position = plan.after > room.journal.lastSeq ? 0 : plan.after;
    this.#keepAlive = this.#armKeepAlive();
    this.#unlisten = room.sessions.listen(this);
    for (const frame of plan.first) this.#write(frame, JSON.stringify(frame));
    broadcastSession(room);
  }

  get isBehind(): boolean {
    return (this.#controller.desiredSize ?? 0) < 0;
  }

  push(frame: ServerFrame, text: string): void {
    if (this.#hasEnded || !this.#isLive) return;
    if (frame.type === "event") {
      if (frame.seq <= this.#position) return;
      if (frame.seq > this.#position + 1) {
        this.#isLive = false;
        this.#room.background(this.pull());
        return;
      }
    }
    this.#write(frame, text);
  }

  /** The reader has room. Sends the next page of the log, or the first live state behind its end. */
  async pull(): Promise<void> {
    while (!this.#hasEnded && !this.#isLive && !this.#sendPage()) await this.#room.services.timers.wait(0);
  }

  end(): void {
    if (this.#leave()) this.#controller.close();
  }

  /** The reader is gone. */
  cancel(): void {
    this.#leave();
  }

  /** @returns whether anything came of it that the reader waits for. */
  #sendPage(): boolean {
    const { journal } = this.#room;
    if (!journal.conversation) return true;
    const rows = this.#position < journal.lastSeq ? this.#log.rowsAfter(this.#position, PAGE) : [];
    let isSent = false;
    for (const row of rows) {
      if (this.#hasEnded) return true;
      const frame: ServerFrame = {
        type: "event",
        seq: row.seq,
        at: row.at,
        event: JSON.parse(row.body) as ConversationEvent,
      };
      isSent = this.#write(frame, eventText(row)) || isSent;
    }
    if (this.#hasEnded) return true;
    if (rows.length > 0 && this.#position < journal.lastSeq) return isSent;
    if (this.#plan.isOver()) this.end();
    else this.#goLive();
    return true;
  }

  #goLive(): void {
    this.#isLive = true;
    const snapshot = runningSnapshot(this.#room);
    const session: ServerFrame = { type: "session:info", ...sessionInfo(this.#room) };
    for (const frame of snapshot ? [snapshot, session] : [session]) this.#write(frame, JSON.stringify(frame));
  }

  /** @returns whether this stream is about it. */
  #write(frame: ServerFrame, text: string): boolean {
    if (this.#hasEnded) return false;
    if (frame.type === "event") this.#position = frame.seq;
    if (!this.#plan.wants(frame)) return false;
    const id = frame.type === "event" ? `id: ${frame.seq}\n` : "";
    this.#controller.enqueue(encode(`${id}data: ${text}\n\n`));
    if (this.#plan.isLast(frame)) this.end();
    else if ((this.#controller.desiredSize ?? 0) < -MAX_WAITING) this.#cut();
    return true;
  }

  /** What waits for it is given up with it, or it would hold that memory until its connection ends. */
  #cut(): void {
    if (this.#leave()) this.#controller.error(new Error("The reader of this stream is too far behind."));
  }

  #leave(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#keepAlive.cancel();
    this.#unlisten();
    this.#room.attachments.detach(this.attachment);
    broadcastSession(this.#room);
    return true;
  }

  #armKeepAlive(): { cancel(): void } {
    return this.#room.services.timers.after(KEEP_ALIVE_MS, () => {
      if (this.#isLive && !this.isBehind) this.#controller.enqueue(encode(": alive\n\n"));
      this.#keepAlive = this.#armKeepAlive();
    });
  }
}

function open(room: Room, attachment: Attachment, plan: StreamPlan): Response {
  let stream: EventStream | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        stream = new EventStream(room, attachment, plan, controller);
      },
      pull: () => stream?.pull(),
      cancel: () => stream?.cancel(),
    },
    { highWaterMark: READ_AHEAD, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  return new Response(body, { headers: HEADERS });
}

/**
 * Everything from a position on, and all that comes: the socket's frames for those who cannot open one. Who has read
 * further than the log goes has read another one, that was lost and came back shorter: they get this one from its
 * start, and see it by the ids, which go down.
 */
export const streamEvents = (room: Room, attachment: Attachment, after: number): Response =>
  open(room, attachment, { first: [], after, wants: () => true, isLast: () => false, isOver: () => false });

/**
 * The frames of the turn that answers a message, from the message to the turn's ending. A message that was to reach a
 * running turn and did not has a turn of its own, which is then followed too.
 */
export function streamTurn(
  room: Room,
  attachment: Attachment,
  message: { messageId: string; turnId: string | null; ack: Extract<ServerFrame, { type: "ack" }> },
): Response {
  const { messageId, turnId, ack } = message;
  const steers = ack.state === "steered";
  const followed = new Set(turnId === null ? [] : [turnId]);
  const wants = (frame: ServerFrame): boolean => {
    if (frame.type === "ack") return frame.id === messageId;
    if (frame.type === "message:delta" || frame.type === "message:snapshot") return followed.has(frame.turnId);
    if (frame.type !== "event") return false;
    const { event } = frame;
    if (steers && event.type === "turn:started" && event.replyTo === messageId) followed.add(event.turnId);
    if ("turnId" in event) return followed.has(event.turnId);
    return event.type === "message:added" && event.message.id === messageId;
  };
  const isLast = (frame: ServerFrame): boolean => {
    if (frame.type !== "event" || !isEnding(frame.event) || !("turnId" in frame.event)) return false;
    const { event } = frame;
    if (!followed.has(event.turnId)) return false;
    const isOther = steers && event.turnId === turnId && room.turns.firstFor(messageId)?.id !== turnId;
    return !isOther || ("message" in event && (event.message.metadata.steeredBy ?? []).includes(messageId));
  };
  const isOver = (): boolean => {
    const own = steers ? room.turns.firstFor(messageId) : null;
    const answering = own && own.steers === null ? own.id : turnId;
    const turn = answering === null ? null : room.turns.find(answering);
    return turn?.state !== "queued" && turn?.state !== "running";
  };
  return open(room, attachment, { first: [ack], after: ack.seq - 1, wants, isLast, isOver });
}

const isEnding = (event: { type: string; willContinue?: boolean }): boolean =>
  event.type === "turn:completed" ||
  event.type === "turn:failed" ||
  (event.type === "turn:interrupted" && event.willContinue === false);
