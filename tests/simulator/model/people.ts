/** What the people in front of the clients do, drawn by chance. */
import type { Device } from "./device.ts";
import { POISON } from "./postgres.ts";
import { principalOf, type World } from "./world.ts";

const ACTIONS = {
  send: 40,
  sendInOrder: 10,
  sendByRest: 6,
  resendOfOther: 5,
  sendPoison: 1,
  stop: 8,
  edit: 4,
  remove: 4,
  command: 5,
  answerTool: 8,
  kill: 5,
  drop: 8,
  freeze: 4,
  wake: 3,
} as const;

type Action = keyof typeof ACTIONS;
const COMMANDS = [
  "/retry",
  "/stop",
  "/context",
  "/usage",
  "/history",
  "/rename Other",
  "/model model-two",
  "/model clear",
];

export class People {
  readonly #world: World;
  readonly #sent: { id: string; text: string }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** One thing somebody does now. */
  act(): void {
    const { random, devices, scheduler } = this.#world;
    const device = random.pick(devices);
    if (!device.isRunning) return;
    const action = random.weighted(ACTIONS);
    scheduler.mark(`client ${device.index}: ${action}`);
    this.#do[action](device);
  }

  /** Somebody comes back and answers whatever waits for a yes or a no. */
  answerEverything(): void {
    const { devices } = this.#world;
    for (const device of devices) if (device.isRunning) this.#answerTool(device);
  }

  /** Somebody says something after a long silence. */
  speakAgain(): void {
    this.#send(this.#world.random.pick(this.#world.devices), this.#text());
  }

  /** A change that starts no turn, by a caller who does not stay. */
  changeFromAfar(): void {
    const [device] = this.#world.devices;
    if (device) this.#remove(device);
  }

  readonly #do: Record<Action, (device: Device) => void> = {
    send: (device) => void this.#send(device, this.#text()),
    sendInOrder: (device) => this.#sendInOrder(device, this.#world.random.between(2, 3)),
    sendByRest: (device) => this.#sendByRest(device),
    resendOfOther: (device) => {
      const { random } = this.#world;
      if (this.#sent.length === 0) return;
      const { id, text } = random.pick(this.#sent);
      device.client.send({ id, text });
    },
    sendPoison: (device) => void this.#send(device, `${POISON} ${this.#text()}`),
    stop: (device) => device.client.stopTurn(),
    edit: (device) => this.#edit(device),
    remove: (device) => this.#remove(device),
    command: (device) => {
      device.client.command(this.#world.random.pick(COMMANDS)).catch(() => {});
    },
    answerTool: (device) => this.#answerTool(device),
    kill: (device) => {
      const { random, scheduler } = this.#world;
      device.kill();
      scheduler.after(random.between(1, 3_000), "client:again", () => {
        if (!this.#world.isDeserted) device.start();
      });
    },
    drop: (device) => {
      const { random } = this.#world;
      const isHalfOpen = random.chance(0.25);
      device.link?.drop({
        byClientMs: isHalfOpen ? null : random.below(50),
        byServerMs: random.below(isHalfOpen ? 60_000 : 50),
      });
    },
    freeze: (device) => device.link?.freeze(this.#world.random.between(500, 60_000)),
    wake: (device) => device.client.wake(),
  };

  #text(): string {
    return `question ${this.#world.random.below(1_000_000)}`;
  }

  #send(device: Device, text: string): ReturnType<Device["client"]["send"]> {
    const { random, newId, history } = this.#world;
    const id = newId();
    const whenBusy = random.weighted({ queue: 6, steer: 3, reject: 1 });
    const sending = device.client.send({ id, text, whenBusy });
    if (whenBusy === "queue") this.#sent.push({ id, text });
    sending.acknowledged.catch(() => history.refused.add(id));
    return sending;
  }

  /** Somebody who waits for each acknowledgement before the next message. */
  #sendInOrder(device: Device, left: number): void {
    const { newId, history, scheduler } = this.#world;
    if (left === 0 || !device.isRunning) return;
    const id = newId();
    const { client } = device;
    const order = history.inOrder.get(device.index) ?? [];
    history.inOrder.set(device.index, order);
    client.send({ id, text: this.#text() }).acknowledged.then(
      () => {
        order.push(id);
        scheduler.after(0, "client:next", () => this.#sendInOrder(device, left - 1));
      },
      () => {},
    );
  }

  /** A caller without a socket: the same id again until there is an answer. */
  #sendByRest(device: Device, id = this.#world.newId(), text = this.#text(), tries = 0): void {
    const { host, history, random, scheduler } = this.#world;
    const body = { id, text, whenBusy: "queue" as const };
    host.call(
      "rpc:send",
      (object) => object.send(principalOf(device.index), body, "api"),
      (answer) => {
        if (!answer.ok) {
          const again = (): void => this.#sendByRest(device, id, text, tries + 1);
          if (tries < 30) scheduler.after(random.between(50, 2_000), "rest:again", again);
          return;
        }
        if (answer.value.ok) history.acknowledged.set(id, answer.value.value.seq);
      },
    );
  }

  #edit(device: Device): void {
    const { host, history, random } = this.#world;
    if (this.#sent.length === 0) return;
    const { id } = random.pick(this.#sent);
    host.call(
      "rpc:edit",
      (object) => object.edit(principalOf(device.index), id, { text: this.#text() }),
      (answer) => {
        if (answer.ok && answer.value.ok) history.edited.add(answer.value.value.id);
      },
    );
  }

  #remove(device: Device): void {
    const { host, history, random } = this.#world;
    if (this.#sent.length === 0) return;
    const { id } = random.pick(this.#sent);
    host.call(
      "rpc:delete",
      (object) => object.deleteMessage(principalOf(device.index), id),
      (answer) => {
        if (answer.ok && answer.value.ok) history.deleted.add(id);
      },
    );
  }

  #answerTool(device: Device): void {
    const { random, history } = this.#world;
    for (const turn of device.view.turns.values()) {
      for (const callId of turn.needsApproval) {
        const decision = random.weighted({ "allow-once": 5, "allow-always": 1, deny: 3 });
        if (decision !== "deny") history.approved.set(callId, (history.approved.get(callId) ?? 0) + 1);
        if (decision === "allow-always") history.allowedAlways.add("erase").add("charge");
        device.client.answerTool(callId, decision);
      }
    }
  }
}
