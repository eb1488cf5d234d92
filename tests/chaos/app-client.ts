/** The client that ships, killed and started again as a closed terminal is, over a connection that drops. */
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { fileOutbox } from "../../clients/terminal/local-files.ts";
import { type Clock, systemClock } from "../../shared/client/clock.ts";
import { ConversationClient } from "../../shared/client/conversation-client.ts";
import { memoryOutbox, type OutboxStorage } from "../../shared/client/outbox.ts";
import { type OpenSocket, platformSockets, type Socket } from "../../shared/client/socket.ts";
import type { ChaosClient, ClientDeps } from "./chaos-client.ts";
import { type Ack, type ClientHistory, emptyHistory, type Reading } from "./history.ts";
import type { SendStep } from "./plan.ts";

const clockOff = (offMs: number): Clock => ({ ...systemClock, now: () => Date.now() + offMs });

export class AppClient implements ChaosClient {
  readonly history: ClientHistory;
  readonly #deps: ClientDeps;
  readonly #storage: OutboxStorage;
  /** A terminal that may die at any moment; the others stay and lose connections only. */
  readonly #isKillable: boolean;
  readonly #ownIds = new Set<string>();
  readonly #tryingAgain = new Set<string>();
  #client: ConversationClient | null = null;
  readonly #sockets: Socket[] = [];
  #lastSeq = 0;

  constructor(deps: ClientDeps) {
    const { plan, lane, folder } = deps;
    this.#deps = deps;
    this.#isKillable = plan.kind === "app-file";
    // It promises its own order whether or not anybody waits.
    this.history = emptyHistory(plan.name, true);
    const environment = { XDG_STATE_HOME: folder };
    this.#storage = this.#isKillable ? fileOutbox(environment, "chaos", lane.conversationId) : memoryOutbox();
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  async run(): Promise<void> {
    const { plan, lane } = this.#deps;
    await this.#start(0);
    for (const step of plan.steps) {
      await lane.room();
      if (lane.isClosing || lane.isOver) break;
      await this.#act(step);
    }
    await this.#allAcknowledged();
  }

  stop(): void {
    this.#client?.stop();
  }

  async #act(step: SendStep): Promise<void> {
    if (step.pauseMs > 0) await sleep(step.pauseMs);
    if (step.isOffline) this.#hangUp();
    this.#ownIds.add(step.id);
    this.history.sent.push({ id: step.id, text: step.text });
    this.#client?.send({ id: step.id, text: step.text, whenBusy: step.whenBusy });
    if (step.stops) this.#client?.stopTurn();
    if (step.dropsAfter && this.#isKillable) {
      // A killed terminal: nothing but its files is left, and it reads from an older place again. What it was told is in
      // them one turn of its event loop later.
      await setImmediate();
      this.#client?.stop();
      await this.#start(Math.max(0, this.#lastSeq - step.forgets));
    } else if (step.dropsAfter) {
      this.#hangUp();
    }
    if (this.#isKillable) await this.#acknowledged(step.id);
  }

  #hangUp(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  async #start(since: number): Promise<void> {
    const { url, person, lane, plan } = this.#deps;
    const reading: Reading = { since, events: [] };
    this.history.readings.push(reading);
    this.#lastSeq = since;
    const client = new ConversationClient({
      url,
      conversationId: lane.conversationId,
      client: { name: "chaos", version: "1", kind: "tui" },
      storage: this.#storage,
      since,
      clock: clockOff(plan.clockOffMs),
      openSocket: this.#listening(platformSockets({ token: person.token })),
    });
    this.#client = client;
    let current = reading;
    client.subscribe((action) => {
      if (client !== this.#client) return;
      if (action.type === "reset") {
        this.history.resets += 1;
        current = { since: 0, events: [] };
        this.history.readings.push(current);
      }
      if (action.type === "pending") {
        const refused = action.pending.filter(({ state }) => state === "failed");
        for (const { id, error } of refused) this.#tryAgain(id, error ?? "");
      }
      if (action.type !== "frame" || action.frame.type !== "event") return;
      const { seq, event } = action.frame;
      if (event.type === "message:added" && this.#ownIds.has(event.message.id)) this.#heardAck(event.message.id, seq);
      current.events.push({ seq, print: lane.saw(seq, event) });
      this.#lastSeq = seq;
    });
    await client.start();
  }

  /** Hears the acknowledgements on the wire: those that a killed client was waiting for reach its successor. */
  #listening(open: OpenSocket): OpenSocket {
    return (url, handlers) => {
      const socket: Socket = open(url, {
        ...handlers,
        message: (text) => {
          if (text.startsWith('{"type":"ack"')) {
            const { id, seq }: Ack = JSON.parse(text);
            this.#heardAck(id, seq);
          }
          handlers.message(text);
        },
      });
      this.#sockets.push(socket);
      return socket;
    };
  }

  /** As a person would who is told that too many messages wait. */
  #tryAgain(id: string, why: string): void {
    if (this.#tryingAgain.has(id)) return;
    this.#tryingAgain.add(id);
    this.history.refused.push({ id, code: why });
    setTimeout(() => {
      this.#tryingAgain.delete(id);
      this.#client?.resend(id);
    }, 500);
  }

  #heardAck(id: string, seq: number): void {
    this.history.acks.push({ id, seq });
    this.#deps.progress.acknowledged(id);
  }

  async #acknowledged(id: string): Promise<void> {
    const { progress, lane } = this.#deps;
    while (!lane.isOver && !progress.has(id)) await sleep(5);
  }

  async #allAcknowledged(): Promise<void> {
    for (const id of this.#ownIds) await this.#acknowledged(id);
  }
}
