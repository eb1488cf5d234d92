/** A client of bad manners on a bare socket: repeats, swaps and delays what it sends, hangs up, and resumes from the past. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { SUBPROTOCOL } from "../../shared/contract/frames.ts";
import type { ChaosClient, ClientDeps } from "./chaos-client.ts";
import { type ClientHistory, emptyHistory, type Reading } from "./history.ts";
import type { SendStep } from "./plan.ts";

interface Frame {
  type: string;
  id?: string;
  seq?: number;
  code?: string;
  event?: { type: string };
}

const REPORT_EVERY_EVENTS = 100;

export class RawClient implements ChaosClient {
  readonly history: ClientHistory;
  readonly #deps: ClientDeps;
  readonly #open = new Map<string, SendStep>();
  #socket: WebSocket | null = null;
  #greeted = false;
  #held: SendStep | null = null;
  #lastSeq = 0;
  #since = 0;
  #stopped = false;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.history = emptyHistory(deps.plan.name, false);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  async run(): Promise<void> {
    const { plan, lane } = this.#deps;
    this.#connect();
    for (const step of plan.steps) {
      await lane.room();
      if (lane.isClosing || lane.isOver) break;
      if (step.pauseMs > 0) await sleep(step.pauseMs);
      this.history.sent.push({ id: step.id, text: step.text });
      this.#open.set(step.id, step);
      this.#say(step);
      // A handful unacknowledged at a time; what is lost is said again until it is not.
      while (this.#open.size > 6 && !lane.isOver) await this.#insist();
    }
    if (this.#held) this.#transmit(this.#held);
    while (this.#open.size > 0 && !lane.isOver) await this.#insist();
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.terminate();
  }

  #say(step: SendStep): void {
    const held = this.#held;
    this.#held = null;
    if (step.swapsWithNext && !held) {
      this.#held = step;
      return;
    }
    this.#transmit(step);
    if (held) this.#transmit(held);
    if (step.stops) this.#send({ type: "turn:stop", id: step.id });
    if (step.dropsAfter) this.#hangUp(step.forgets);
  }

  #transmit({ id, text, whenBusy, repeats }: SendStep): void {
    for (let copy = 0; copy <= repeats; copy += 1) this.#send({ type: "message:send", id, text, whenBusy });
  }

  #send(frame: object): void {
    if (this.#greeted) this.#socket?.send(JSON.stringify(frame));
  }

  /** Waits a little; then says again what nobody acknowledged. */
  async #insist(): Promise<void> {
    const before = this.#open.size;
    for (let waited = 0; waited < 40 && this.#open.size === before; waited += 1) await sleep(25);
    if (this.#open.size < before) return;
    for (const step of this.#open.values()) this.#transmit(step);
  }

  #hangUp(forgets: number): void {
    this.#since = Math.max(0, this.#lastSeq - forgets);
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#stopped) return;
    const { url, person, lane } = this.#deps;
    const socket = new WebSocket(
      `${url.replace("http", "ws")}/api/conversations/${lane.conversationId}/socket`,
      SUBPROTOCOL,
      { headers: { authorization: `Bearer ${person.token}` }, handshakeTimeout: 15_000 },
    );
    this.#socket = socket;
    this.#greeted = false;
    const reading: Reading = { since: this.#since, events: [] };
    socket.on("open", () => {
      const client = { name: "raw", version: "1", kind: "api" };
      socket.send(JSON.stringify({ type: "hello", protocol: 1, client, since: reading.since }));
    });
    socket.on("message", (data) => {
      if (socket === this.#socket) this.#read(reading, JSON.parse(String(data)));
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (socket !== this.#socket) return;
      this.#greeted = false;
      setTimeout(() => this.#connect(), 60 + (this.#lastSeq % 90));
    });
  }

  #read(reading: Reading, frame: Frame): void {
    const { lane, progress } = this.#deps;
    if (frame.type === "welcome") {
      this.history.readings.push(reading);
      if ((frame as Frame & { lastSeq: number }).lastSeq < reading.since) this.history.resets += 1;
      this.#greeted = true;
      for (const step of this.#open.values()) if (step !== this.#held) this.#transmit(step);
    } else if (frame.type === "ack" && frame.id !== undefined && frame.seq !== undefined) {
      this.history.acks.push({ id: frame.id, seq: frame.seq });
      this.#open.delete(frame.id);
      progress.acknowledged(frame.id);
    } else if (frame.type === "event" && frame.seq !== undefined) {
      reading.events.push({ seq: frame.seq, print: lane.saw(frame.seq, frame.event) });
      this.#lastSeq = Math.max(this.#lastSeq, frame.seq);
      this.#since = this.#lastSeq;
      if (frame.seq % REPORT_EVERY_EVENTS === 0) this.#send({ type: "received", seq: frame.seq });
    } else if (frame.type === "error" && frame.id !== undefined) {
      this.history.refused.push({ id: frame.id, code: frame.code ?? "" });
    }
  }
}
