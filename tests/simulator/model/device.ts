/**
 * One person's client: the shipped `ConversationClient` and view over simulated links, with a clock of its own that may
 * be wrong, a storage that survives its death, and somebody who uses it.
 */

import type { Clock } from "../../../shared/client/clock.ts";
import type { Access } from "../../../shared/client/connection.ts";
import { ConversationClient } from "../../../shared/client/conversation-client.ts";
import type { OutboxStorage } from "../../../shared/client/outbox.ts";
import type { OpenSocket, Socket } from "../../../shared/client/socket.ts";
import { reduceAll } from "../../../shared/client/view.ts";
import { emptyView, type View, type ViewAction } from "../../../shared/client/view-state.ts";
import type { ErrorCode } from "../../../shared/contract/errors.ts";
import type { ServerFrame } from "../../../shared/contract/frames.ts";
import { OBJECT_HEADERS } from "../../../shared/ports/conversation-object.ts";
import type { Principal } from "../../../shared/ports/sign-in.ts";
import type { History } from "./history.ts";
import { Link } from "./link.ts";
import type { ObjectHost } from "./object-host.ts";
import type { PlainResponse } from "./platform-globals.ts";
import type { Life, Scheduler } from "./scheduler.ts";

interface Parts {
  index: number;
  scheduler: Scheduler;
  host: ObjectHost;
  history: History;
  conversationId: string;
  principal: Principal;
  skewMs: number;
  /** Ms a frame takes on this device's network. */
  delayMs: () => number;
}

const ACCESS: Partial<Record<ErrorCode, Access>> = {
  not_found: "not_found",
  forbidden: "forbidden",
  expired: "unauthenticated",
};
/** What one connection has brought so far. */
interface Heard {
  last: number | null;
  /** Length of every part of the answers that were shown, by turn. */
  lengths: Map<string, number[]>;
}

const STARTED = /"type":"turn:started","turnId":"([^"]+)"/;
const SEQ = /^\{"type":"event","seq":(\d+),/;

export class Device {
  readonly index: number;
  readonly #parts: Parts;
  readonly #records = new Map<string, string>();
  #life: Life = { alive: false };
  #client: ConversationClient | null = null;
  #link: Link | null = null;
  #actions: ViewAction[] = [];
  #view: View = emptyView;
  #lastShown = 0;
  /** The network of this device is gone: no connection opens. */
  isOffline = false;

  constructor(parts: Parts) {
    this.index = parts.index;
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#life.alive;
  }

  get link(): Link | null {
    return this.#link;
  }

  get client(): ConversationClient {
    if (!this.#client) throw new Error("This device is off.");
    return this.#client;
  }

  get records(): ReadonlyMap<string, string> {
    return this.#records;
  }

  /** What its user sees. */
  get view(): View {
    this.#view = reduceAll(this.#view, this.#actions);
    this.#actions = [];
    return this.#view;
  }

  get isSettled(): boolean {
    return this.isRunning && this.#link?.isHealthy === true;
  }

  start(): void {
    if (this.isRunning) return;
    const { scheduler, conversationId } = this.#parts;
    const life: Life = { alive: true };
    this.#life = life;
    this.#view = emptyView;
    this.#actions = [];
    this.#lastShown = 0;
    const client = new ConversationClient({
      url: "http://mosaic.test",
      conversationId,
      client: { name: "simulated", version: "1", kind: "tui" },
      storage: this.#storageOf(life),
      clock: this.#clockOf(life),
      openSocket: (_url, handlers) => this.#open(handlers, life),
      checkAccess: () => this.#access(life),
    });
    this.#client = client;
    client.subscribe((action) => life.alive && this.#on(action));
    scheduler.after(0, "client:start", () => void client.start(), life);
  }

  /** The process dies in the middle of whatever it does; what was saved stays. */
  kill(): void {
    this.#life.alive = false;
    this.#link?.clientGone(this.#parts.scheduler.random.chance(0.8) ? 5 : 40_000);
    this.#link = null;
    this.#client = null;
  }

  #clockOf(life: Life): Clock {
    const { scheduler, skewMs } = this.#parts;
    return {
      now: () => scheduler.now + skewMs,
      random: () => scheduler.random.next(),
      after: (ms, run) => scheduler.after(ms, "client:timer", run, life, true),
    };
  }

  /** Saving takes a moment, and dying in it loses the record. */
  #storageOf(life: Life): OutboxStorage {
    const { scheduler, history } = this.#parts;
    const later = (kind: string, run: () => void): Promise<void> =>
      new Promise((resolve) => {
        const done = (): void => {
          run();
          resolve();
        };
        scheduler.after(scheduler.random.below(6), kind, done, life);
      });
    return {
      load: () => [...this.#records.values()],
      save: (id, record) =>
        later("outbox:save", () => {
          this.#records.set(id, record);
          history.kept.add(id);
        }),
      remove: (id) => later("outbox:remove", () => void this.#records.delete(id)),
    };
  }

  #on(action: ViewAction): void {
    this.#actions.push(action);
    if (action.type === "reset") this.#lastShown = 0;
    if (action.type === "start") this.#lastShown = action.seq;
    if (action.type !== "frame") return;
    const { frame } = action;
    if (frame.type !== "event") return;
    const { history } = this.#parts;
    if (frame.seq !== this.#lastShown + 1) {
      history.violations.push({
        check: "events arrive one by one",
        detail: `client ${this.index} was shown ${frame.seq} after ${this.#lastShown}`,
      });
    }
    this.#lastShown = frame.seq;
    const { event } = frame;
    const name = `${event.type} ${"message" in event ? event.message.id : "turnId" in event ? event.turnId : ""}`;
    const before = history.shown.get(frame.seq);
    if (before === undefined) history.shown.set(frame.seq, name);
    else if (before !== name) {
      history.violations.push({
        check: "shown is durable",
        detail: `position ${frame.seq} was shown as "${before}" and later as "${name}"`,
      });
    }
  }

  /** What the Worker would answer to a cheap authenticated read. */
  #access(life: Life): Promise<Access> {
    const { host, principal } = this.#parts;
    return new Promise((resolve) =>
      host.call(
        "rpc:describe",
        (object) => object.describe(principal),
        (answer) => {
          if (!life.alive) return;
          if (!answer.ok) resolve("unreachable");
          else resolve(answer.value.ok ? "ok" : (ACCESS[answer.value.error.code] ?? "unreachable"));
        },
      ),
    );
  }

  #open(handlers: Parameters<OpenSocket>[1], life: Life): Socket {
    const { scheduler, host, delayMs } = this.#parts;
    const connection: Heard = { last: null, lengths: new Map() };
    const client = {
      open: () => life.alive && handlers.open(),
      message: (text: string) => {
        this.#watch(text, connection);
        handlers.message(text);
      },
      close: (code: number, reason: string) => life.alive && handlers.close(code, reason),
    };
    const link = new Link(scheduler, { client, server: host.serverEnd }, delayMs);
    this.#link = link;
    scheduler.after(delayMs(), "link:connect", () => (this.isOffline ? link.refused() : this.#upgrade(link)));
    return {
      send: (text) => link.toServer(text),
      close: (code) => link.closeFromClient(code ?? 1000),
    };
  }

  #upgrade(link: Link): void {
    const { host, principal } = this.#parts;
    const headers = { [OBJECT_HEADERS.principal]: JSON.stringify({ by: "principal", principal }) };
    const request = {
      url: "https://object/socket",
      headers: { get: (name: string) => (headers as Record<string, string>)[name] ?? null },
    };
    host.call(
      "socket:upgrade",
      (object) => object.fetch(request as unknown as Request),
      (answer) => {
        const response = answer.ok ? (answer.value as unknown as PlainResponse) : null;
        if (response?.status === 101 && response.webSocket) link.established(response.webSocket.peer.held);
        else link.refused();
      },
    );
  }

  /** What the wire itself shows, before the client sorts it. */
  #watch(text: string, connection: Heard): void {
    const { history } = this.#parts;
    const seq = Number(SEQ.exec(text)?.[1] ?? 0);
    if (seq > 0) {
      if (connection.last !== null && seq !== connection.last + 1) {
        history.violations.push({
          check: "a connection has no gap and no repeat",
          detail: `client ${this.index} was sent ${seq} after ${connection.last}`,
        });
      }
      connection.last = seq;
      const started = STARTED.exec(text)?.[1];
      if (started) connection.lengths.set(started, []);
      return;
    }
    if (text.startsWith('{"type":"message:')) return this.#watchAnswer(text, connection);
    if (text.startsWith('{"type":"welcome"')) connection.last = null;
    if (!text.startsWith('{"type":"ack"')) return;
    const ack = JSON.parse(text) as { id: string; seq: number };
    const before = history.acknowledged.get(ack.id);
    if (before !== undefined && before !== ack.seq) {
      history.violations.push({
        check: "one message, one place",
        detail: `message ${ack.id} was acknowledged at ${before} and at ${ack.seq}`,
      });
    }
    history.acknowledged.set(ack.id, ack.seq);
  }

  /** Every piece of an answer continues what this connection has brought of it. */
  #watchAnswer(text: string, { lengths }: Heard): void {
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === "message:snapshot") {
      const { turnId, parts } = frame;
      lengths.set(
        turnId,
        parts.map((part) => ("text" in part ? part.text.length : 0)),
      );
    } else if (frame.type === "message:delta") {
      const { turnId, part, offset, kind } = frame;
      const known = lengths.get(turnId);
      if (known && kind !== "tool-input" && (known[part] ?? 0) === offset) known[part] = offset + frame.text.length;
      else if (kind !== "tool-input") {
        this.#parts.history.violations.push({
          check: "the pieces of an answer fit",
          detail: `client ${this.index} has ${known?.[part] ?? "nothing"} of part ${part} and is sent offset ${offset}`,
        });
      }
    }
  }
}
