/**
 * workerd's host of one object: starts it on demand, delivers to it one thing at a time, keeps its sockets while it
 * sleeps, fires its alarm, and ends it in every way the platform can.
 */
import type { Conversation } from "../../../durable-objects/conversation/object.ts";
import { AlarmClock, type Fired } from "./alarm-clock.ts";
import type { Disk } from "./disk.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import { type Held, ServerSocket } from "./server-socket.ts";

export type Make = (ctx: DurableObjectState, awake: Awake) => Conversation;

/** One run of the object, from its start to its end. */
export class Awake {
  readonly life: Life = { alive: true };
  readonly sockets = new Map<Held, ServerSocket>();
  readonly losses = new Set<() => void>();
  object: Conversation | null = null;
  /** Promises under `waitUntil`, calls, timers and requests that have not come back: with any, it does not sleep. */
  busy = 0;

  begin(): () => void {
    this.busy++;
    let ended = false;
    return () => {
      if (!ended) this.busy--;
      ended = true;
    };
  }
}

interface Delivery {
  kind: string;
  run: (object: Conversation, awake: Awake) => void;
  lost: () => void;
}

interface Options {
  scheduler: Scheduler;
  disk: Disk;
  id: string;
  make: Make;
  onThrow: (what: string, error: unknown) => void;
}

export class ObjectHost {
  readonly #options: Options;
  readonly #scheduler: Scheduler;
  readonly #inbox: Delivery[] = [];
  readonly #alarm: AlarmClock;
  #awake: Awake | null = null;
  #isStarting = false;
  /** The process is being restarted: nothing can be reached until then. */
  #isDown = false;
  #accepted = new Set<Held>();
  #autoResponse: { request: string; response: string } | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#scheduler = options.scheduler;
    this.#alarm = new AlarmClock(options.scheduler, options.disk, {
      isRunning: () => !this.#isDown,
      fire: (fired) =>
        this.deliver({ kind: "alarm", run: (object, awake) => this.#runAlarm(object, awake, fired), lost: () => {} }),
    });
  }

  get awake(): Awake | null {
    return this.#awake;
  }

  get isIdle(): boolean {
    return !this.#isStarting && !this.#isDown && this.#inbox.length === 0 && (this.#awake?.busy ?? 0) === 0;
  }

  get sockets(): readonly Held[] {
    return [...this.#accepted];
  }

  /** Called with every flush: the alarm that is on disk now is the one that counts. */
  flushed(): void {
    this.#alarm.arm();
  }

  deliver(delivery: Delivery): void {
    if (this.#isDown) return delivery.lost();
    if (this.#awake && this.#inbox.length === 0) return this.#run(delivery, this.#awake);
    this.#inbox.push(delivery);
    if (!this.#awake && !this.#isStarting) {
      this.#isStarting = true;
      this.#scheduler.after(this.#scheduler.random.between(0, 15), "object:start", () => this.#start());
    }
  }

  /** A call whose answer leaves through the output gate. */
  call<Value>(
    kind: string,
    work: (object: Conversation) => Promise<Value>,
    done: (answer: { ok: true; value: Value } | { ok: false }) => void,
  ): void {
    let answered = false;
    const answer = (result: { ok: true; value: Value } | { ok: false }): void => {
      if (answered) return;
      answered = true;
      this.#scheduler.after(this.#scheduler.random.between(1, 8), `${kind}:answer`, () => done(result));
    };
    const lost = (): void => answer({ ok: false });
    this.deliver({
      kind,
      lost,
      run: (object, awake) => {
        const end = awake.begin();
        awake.losses.add(lost);
        const settle = (result: { ok: true; value: Value } | { ok: false }): void => {
          if (!awake.life.alive) return;
          this.#options.disk.gate(() => {
            end();
            awake.losses.delete(lost);
            answer(result);
          });
        };
        work(object).then(
          (value) => settle({ ok: true, value }),
          (error) => {
            this.#options.onThrow(kind, error);
            settle({ ok: false });
          },
        );
      },
    });
  }

  /** The server's end of every link. */
  readonly serverEnd = {
    answersByItself: (text: string): string | null =>
      this.#autoResponse?.request === text && !this.#isDown ? this.#autoResponse.response : null,
    message: (held: Held, text: string): void =>
      this.#toSocket("socket:message", held, (object, socket) => object.webSocketMessage(socket, text)),
    closed: (held: Held, _code: number): void => {
      if (!this.#accepted.has(held)) return;
      this.#toSocket("socket:close", held, (object, socket) => {
        held.isClosed = true;
        this.#accepted.delete(held);
        object.webSocketClose(socket);
      });
    },
  };

  /** Memory is discarded, everything else stays. Only an idle object sleeps. */
  hibernate(): boolean {
    if (!this.#awake || !this.isIdle) return false;
    this.#end();
    return true;
  }

  /** The object's process ends. `graceful`: what was written is on disk first. */
  crash(options: { graceful: boolean; downMs: number; noticedAfterMs: () => number | null }): void {
    const { disk } = this.#options;
    if (options.graceful) disk.flush();
    else disk.crash();
    this.#end();
    this.#alarm.forget();
    this.#isDown = true;
    for (const delivery of this.#inbox.splice(0)) delivery.lost();
    this.#isStarting = false;
    for (const held of this.#accepted) {
      held.isClosed = true;
      held.link?.serverGone(options.noticedAfterMs());
    }
    this.#accepted = new Set();
    this.#scheduler.after(options.downMs, "object:back", () => {
      this.#isDown = false;
      this.#alarm.arm();
    });
  }

  /** The disk is lost with everything on it. Call right after a crash. */
  loseDisk(): void {
    this.#options.disk.lose();
  }

  /** @returns false where no alarm is planned */
  delayAlarm(ms: number): boolean {
    return this.#alarm.delay(ms);
  }

  #end(): void {
    const awake = this.#awake;
    if (!awake) return;
    awake.life.alive = false;
    this.#awake = null;
    for (const lost of awake.losses) lost();
  }

  #start(): void {
    this.#isStarting = false;
    if (this.#isDown || this.#awake) return;
    const awake = new Awake();
    this.#awake = awake;
    try {
      awake.object = this.#options.make(this.#context(awake), awake);
    } catch (error) {
      this.#options.onThrow("constructor", error);
      this.#end();
      for (const delivery of this.#inbox.splice(0)) delivery.lost();
      return;
    }
    this.#pump();
  }

  /** What came while the object started, one a step. */
  #pump(): void {
    const awake = this.#awake;
    const [delivery] = this.#inbox;
    if (!awake || !delivery) return;
    this.#scheduler.after(
      0,
      "object:inbox",
      () => {
        this.#inbox.shift();
        this.#run(delivery, awake);
        this.#pump();
      },
      awake.life,
    );
  }

  #run(delivery: Delivery, awake: Awake): void {
    if (this.#scheduler.trace) this.#scheduler.note(`   object <- ${delivery.kind}`);
    if (awake.object) delivery.run(awake.object, awake);
  }

  #toSocket(kind: string, held: Held, run: (object: Conversation, socket: WebSocket) => unknown): void {
    this.deliver({
      kind,
      lost: () => {},
      run: (object, awake) => {
        const end = awake.begin();
        const settled = (): void => end();
        Promise.resolve()
          .then(() => run(object, this.#socketOf(awake, held)))
          .then(settled, (error) => {
            this.#options.onThrow(kind, error);
            settled();
          });
      },
    });
  }

  #runAlarm(object: Conversation, awake: Awake, fired: Fired): void {
    const end = awake.begin();
    Promise.resolve()
      .then(() => {
        fired.begins();
        return object.alarm();
      })
      .then(
        () => fired.succeeded(),
        (error) => {
          this.#options.onThrow("alarm", error);
          fired.failed();
        },
      )
      .finally(end);
  }

  #socketOf(awake: Awake, held: Held): WebSocket {
    let socket = awake.sockets.get(held);
    if (!socket) {
      socket = new ServerSocket(held);
      awake.sockets.set(held, socket);
    }
    return socket as unknown as WebSocket;
  }

  #context(awake: Awake): DurableObjectState {
    const { disk, id } = this.#options;
    const sql = { exec: (query: string, ...bindings: unknown[]) => disk.exec(query, ...bindings) };
    const storage = {
      sql,
      transactionSync: <Value>(work: () => Value) => disk.transactionSync(work),
      setAlarm: async (at: number | Date) => disk.setAlarm(Number(at)),
      getAlarm: async () => disk.alarm,
      deleteAlarm: async () => disk.setAlarm(null),
      deleteAll: async () => disk.deleteAll(),
      sync: async () => {},
    };
    const context = {
      id: { name: id, toString: () => id },
      storage,
      waitUntil: (work: Promise<unknown>) => {
        const end = awake.begin();
        work.then(end, (error) => {
          this.#options.onThrow("waitUntil", error);
          end();
        });
      },
      blockConcurrencyWhile: (work: () => Promise<unknown>) => work(),
      acceptWebSocket: (socket: unknown) => {
        if (!(socket instanceof ServerSocket)) throw new TypeError("Not a socket of this platform.");
        socket.held.gate = (release) => disk.gate(release);
        this.#accepted.add(socket.held);
        awake.sockets.set(socket.held, socket);
      },
      getWebSockets: () =>
        [...this.#accepted].filter((held) => !held.isClosed).map((held) => this.#socketOf(awake, held)),
      setWebSocketAutoResponse: (pair: { request: string; response: string }) => {
        this.#autoResponse = pair;
      },
    };
    return context as unknown as DurableObjectState;
  }
}
