import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { describe, expect, test, vi } from "vitest";
import type { MachineAnswer, MachineRequest } from "../../shared/client/connector/machine-streams.ts";
import { encodeData, WINDOW_BYTES } from "../../shared/contract/connector-frames.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { DialIn } from "../../shared/ports/connector-gateway.ts";
import { aPerson } from "../../shared/testing/worker/people.ts";
import { askMachine, HELLO, STAMP, TestMachine, upgradeMachine } from "../../shared/testing/worker/test-machine.ts";
import { servicesFor } from "../services-for.ts";
import { type Bindings, connectorObject } from "../stubs.ts";

// Other suites share the machine: what takes a second alone may take many.
vi.setConfig({ testTimeout: 60_000 });

const bindings = env as unknown as Bindings;
const services = servicesFor(bindings);

const text = (value: string) => new TextEncoder().encode(value);
const OK = { status: 200, headers: [] } satisfies Omit<MachineAnswer, "body">;

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? text(part) : part;
}

/** Answers with what was asked. */
async function echo(request: MachineRequest): Promise<MachineAnswer> {
  return { ...OK, headers: [["x-path", request.path]], body: request.body ?? chunks("nothing") };
}

/** The stream that was opened last. */
const openedIn = (machine: TestMachine): number => {
  const open = machine.frames.findLast((frame) => frame.includes('"open"')) ?? "";
  return Number(/"stream":(\d+)/.exec(open)?.[1]);
};

/** Somebody's machine that Postgres knows, and its object. */
async function aConnector() {
  const owner = await aPerson();
  const id = newId();
  const secretHash = newId();
  const at = new Date().toISOString();
  const scope = { userId: owner.userId };
  await services.connectors.create(scope, { id, name: "desk", tokenHash: null, tokenExpiresAt: null, at });
  await services.connectors.enrol(scope, id, secretHash, at);
  const enrolled: DialIn = {
    connectorId: id,
    stamp: STAMP,
    secretHash,
    owner: { ownerUserId: owner.userId, name: "desk" },
  };
  return {
    id,
    scope,
    enrolled,
    known: { ...enrolled, owner: null },
    object: connectorObject(bindings, id),
    stub: bindings.CONNECTOR.get(bindings.CONNECTOR.idFromName(id)),
    target: { connectorId: id, ownerUserId: owner.userId, upstream: "ollama" },
    stored: () => services.connectors.find(scope, id),
  };
}

describe("a request to a machine", () => {
  test("goes there with its body, and the answer comes back with its headers", async () => {
    const { object, target, enrolled } = await aConnector();
    await TestMachine.dial(object, enrolled, echo);
    const answer = await askMachine(object, target, "/api/chat?x=1", { method: "POST", body: "hello" });
    expect([answer.status, answer.headers.get("x-path"), await answer.text()]).toEqual([200, "/api/chat?x=1", "hello"]);
  });

  test("tells the machine nothing of the caller but what a model server needs", async () => {
    const { object, target, enrolled } = await aConnector();
    let seen: string[] = [];
    await TestMachine.dial(object, enrolled, async (request) => {
      seen = request.headers.map(([name]) => name);
      return { ...OK, body: chunks() };
    });
    const headers = { cookie: "session=1", "x-forwarded-for": "1.2.3.4", "content-type": "application/json" };
    await askMachine(object, target, "/api/chat", { method: "POST", body: "{}", headers });
    expect(seen.toSorted()).toEqual(["content-length", "content-type"]);
  });

  test("streams: what the machine sends is here before its answer is over", async () => {
    const { object, target, enrolled } = await aConnector();
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield text("first");
      await held;
      yield text("second");
    }
    await TestMachine.dial(object, enrolled, async () => ({ ...OK, body: slow() }));
    const reader = (await askMachine(object, target, "/api/tags")).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    goOn();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("second");
    expect((await reader?.read())?.done).toBe(true);
  });

  test("carries twenty large bodies at once, every byte in its place, both ways", async () => {
    const { object, target, enrolled } = await aConnector();
    await TestMachine.dial(object, enrolled, echo);
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    const bodies = Array.from({ length: 20 }, (_, seed) => {
      const body = new Uint8Array(WINDOW_BYTES + 70_000 + seed);
      for (let at = 0; at < body.byteLength; at += 60_000 + seed) {
        body.set(noise.subarray(0, Math.min(noise.byteLength, body.byteLength - at)), at);
      }
      return body;
    });
    const answers = await Promise.all(
      bodies.map(async (body) => {
        const answer = await askMachine(object, target, "/api/chat", { method: "POST", body });
        return await answer.arrayBuffer();
      }),
    );
    const digest = (body: BufferSource) => crypto.subtle.digest("SHA-256", body);
    for (const [index, body] of bodies.entries()) {
      expect(answers[index]?.byteLength).toBe(body.byteLength);
      expect(await digest(answers[index] ?? new ArrayBuffer(0))).toEqual(await digest(body));
    }
  });

  test("whose answer nobody reads holds back only itself", async () => {
    const { object, target, enrolled } = await aConnector();
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 65_536;
        yield new Uint8Array(65_536);
      }
    }
    await TestMachine.dial(object, enrolled, async ({ path, body }) =>
      path === "/api/tags" ? { ...OK, body: endless() } : { ...OK, body: body ?? chunks() },
    );
    const unread = await askMachine(object, target, "/api/tags");
    for (let round = 0; round < 5; round++) {
      const answer = await askMachine(object, target, "/api/chat", { method: "POST", body: "still here" });
      expect(await answer.text()).toBe("still here");
    }
    // The window, what is on its way, and what the platform holds between two objects.
    expect(sent).toBeLessThan(4 * WINDOW_BYTES);
    await unread.body?.cancel();
  });

  test("that nobody waits for any more ends at the machine", async () => {
    const { object, target, enrolled } = await aConnector();
    let ended = 0;
    async function* endless(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      signal.addEventListener("abort", () => ended++);
      for (;;) {
        yield text("more");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    const machine = await TestMachine.dial(object, enrolled, async ({ signal }) => ({ ...OK, body: endless(signal) }));
    const reader = (await askMachine(object, target, "/api/tags")).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await vi.waitFor(() => expect([ended, machine.streams.size]).toEqual([1, 0]), { timeout: 10_000 });
  });

  test("that is given up before its answer began ends at the machine too", async () => {
    const { object, target, enrolled } = await aConnector();
    let ended = 0;
    const machine = await TestMachine.dial(object, enrolled, ({ signal }) => {
      signal.addEventListener("abort", () => ended++);
      return new Promise(() => {});
    });
    const stop = new AbortController();
    const asking = askMachine(object, target, "/api/tags", { signal: stop.signal });
    await vi.waitFor(() => expect(machine.streams.size).toBe(1));
    stop.abort();
    await expect(asking).rejects.toThrow();
    await vi.waitFor(() => expect([ended, machine.streams.size]).toEqual([1, 0]), { timeout: 10_000 });
  });

  test("fails at once when the machine goes away, before and in the middle of its answer", async () => {
    const { object, target, enrolled } = await aConnector();
    async function* begun(): AsyncGenerator<Uint8Array> {
      yield text("first");
      await new Promise(() => {});
    }
    const machine = await TestMachine.dial(object, enrolled, ({ path }) =>
      path === "/api/ps" ? new Promise(() => {}) : Promise.resolve({ ...OK, body: begun() }),
    );
    const waiting = askMachine(object, target, "/api/ps");
    const reader = (await askMachine(object, target, "/api/tags")).body?.getReader();
    await reader?.read();
    await vi.waitFor(() => expect(machine.streams.size).toBe(2));
    machine.socket.close(1000, "bye");
    await expect(reader?.read()).rejects.toThrow();
    const answer = await waiting;
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "connector_offline", machine: "desk" }]);
  });

  test("is answered with a sentence where the machine is away, offers no such thing, or is somebody else's", async () => {
    const { object, target, enrolled } = await aConnector();
    const stranger = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    const sentence = async (asked: typeof target): Promise<unknown> => {
      const answer = await askMachine(object, asked, "/api/tags");
      expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
      return await answer.json();
    };
    expect(await sentence({ ...target, upstream: "vllm" })).toMatchObject({
      detail: expect.stringContaining('"vllm"'),
    });
    const asStranger = await sentence({ ...target, ownerUserId: stranger.target.ownerUserId });
    expect(asStranger).toMatchObject({ code: "connector_offline", detail: expect.not.stringContaining("desk") });
    machine.socket.close(1000, "bye");
    await vi.waitFor(async () =>
      expect(await sentence(target)).toMatchObject({
        code: "connector_offline",
        detail: 'The machine "desk" is not connected; start `npx mosaic connect` on it.',
      }),
    );
  });
});

describe("a machine that dials in", () => {
  test("comes back with its secret alone; with another it does not", async () => {
    const { object, target, enrolled, known } = await aConnector();
    expect((await upgradeMachine(object, known)).status).toBe(401);
    await TestMachine.dial(object, enrolled, echo);
    expect((await upgradeMachine(object, { ...known, secretHash: "other" })).status).toBe(401);
    await TestMachine.dial(object, known, async () => ({ ...OK, body: chunks("the newer one") }));
    expect(await (await askMachine(object, target, "/api/tags")).text()).toBe("the newer one");
  });

  test("takes the place of the one before, which is told so", async () => {
    const { object, enrolled, known } = await aConnector();
    const older = await TestMachine.dial(object, enrolled, echo);
    const newer = await TestMachine.dial(object, known, echo);
    expect(await older.untilClosed()).toBe(CLOSE.revoked);
    expect(older.closed?.reason).toContain("took over");
    expect(newer.closed).toBeNull();
  });

  test("with a new secret shuts out whoever has the old one", async () => {
    const { object, enrolled, known } = await aConnector();
    const older = await TestMachine.dial(object, enrolled, echo);
    await TestMachine.silent(object, { ...enrolled, secretHash: "new" }, echo);
    expect(await older.untilClosed()).toBe(CLOSE.revoked);
    expect((await upgradeMachine(object, known)).status).toBe(401);
  });

  test("is gone for good once its connector is removed", async () => {
    const { object, enrolled, known, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    await object.forget();
    expect(await machine.untilClosed()).toBe(CLOSE.deleted);
    expect((await upgradeMachine(object, known)).status).toBe(401);
    expect((await askMachine(object, target, "/api/tags")).status).toBe(503);
    await object.forget();
  });

  test("that is removed in the middle of a request is not asked for again: the answer says that it is of no use", async () => {
    const { object, enrolled, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, () => new Promise(() => {}));
    const waiting = askMachine(object, target, "/api/tags");
    await machine.until("a stream", () => machine.streams.size > 0);
    await object.forget();
    const removed = { code: "connector_offline", retryable: false, detail: expect.stringContaining("any more") };
    expect(await (await waiting).json()).toMatchObject(removed);
    expect(await (await askMachine(object, target, "/api/tags")).json()).toMatchObject(removed);
  });

  test("whose network is gone is away for the next request, and shown so soon", async () => {
    const { object, stub, enrolled, target, stored } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    await vi.waitFor(async () => expect((await stored())?.isOnline).toBe(true));
    const lastHeard = Date.now();
    const later = vi.spyOn(services, "now").mockImplementation(() => new Date(Date.now() + 25_000));
    expect(await (await askMachine(object, target, "/api/tags")).json()).toMatchObject({
      code: "connector_offline",
      machine: "desk",
      retryable: true,
    });
    later.mockRestore();
    expect(await machine.untilClosed()).toBe(CLOSE.tooSlow);
    const at = await runInDurableObject(stub, (_object, { storage }) => storage.getAlarm());
    expect(at).not.toBeNull();
    expect(at ?? 0).toBeLessThan(lastHeard + 31_000);
  });

  test("whose network goes while somebody waits is left within half a minute", async () => {
    const { object, stub, enrolled, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, () => new Promise(() => {}));
    let passedMs = 0;
    const looks: { at: number; run: () => void }[] = [];
    const clock = vi.spyOn(services, "now").mockImplementation(() => new Date(Date.now() + passedMs));
    const timer = vi.spyOn(services.timers, "after").mockImplementation((ms, run) => {
      looks.push({ at: passedMs + ms, run });
      return { cancel: () => {} };
    });
    const waiting = askMachine(object, target, "/api/tags");
    await machine.until("a stream", () => machine.streams.size > 0);
    while (passedMs < 30_000) {
      passedMs += 5_000;
      const due = looks.filter(({ at }) => at <= passedMs);
      looks.splice(0, looks.length, ...looks.filter(({ at }) => at > passedMs));
      await runInDurableObject(stub, () => {
        for (const { run } of due) run();
      });
    }
    const answer = await waiting;
    timer.mockRestore();
    clock.mockRestore();
    expect(await answer.json()).toMatchObject({ code: "connector_offline", machine: "desk" });
    expect(await machine.untilClosed()).toBe(CLOSE.tooSlow);
  });

  test("goes on after its object slept, and what was under way from before is over", async () => {
    const { object, stub, enrolled, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    await evictDurableObject(stub);
    expect(await (await askMachine(object, target, "/api/chat", { method: "POST", body: "again" })).text()).toBe(
      "again",
    );
    expect([machine.welcomes, machine.closed]).toEqual([2, null]);
  });

  test("that was removed elsewhere is closed by the first announcement", async () => {
    const { object, enrolled, scope, id } = await aConnector();
    await services.connectors.remove(scope, id);
    const machine = await TestMachine.dial(object, enrolled, echo);
    expect(await machine.untilClosed()).toBe(CLOSE.deleted);
  });
});

describe("presence", () => {
  test("is told with what the machine offers, once, and not again for a short absence", async () => {
    const { object, stub, enrolled, known, stored } = await aConnector();
    const announce = vi.spyOn(services.connectors, "announce");
    const machine = await TestMachine.dial(object, enrolled, echo);
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ isOnline: true, clientVersion: "1.2.3" }));
    expect((await stored())?.upstreams).toEqual([{ name: "ollama", kind: "ollama" }]);
    const told = announce.mock.calls.length;
    machine.socket.close(1000, "a moment");
    await TestMachine.dial(object, known, echo);
    await runDurableObjectAlarm(stub);
    expect((await stored())?.isOnline).toBe(true);
    expect(announce.mock.calls.length).toBe(told);
  });

  test("ends when the machine stays away", async () => {
    const { object, stub, enrolled, stored } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    await vi.waitFor(async () => expect((await stored())?.isOnline).toBe(true));
    machine.socket.close(1000, "bye");
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(stub)).toBe(true));
    expect((await stored())?.isOnline).toBe(false);
  });

  test("is told also by an object that moved to where the clock is behind", async () => {
    const { object, stub, enrolled, stored } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    await vi.waitFor(async () => expect((await stored())?.isOnline).toBe(true));
    const behind = vi.spyOn(services, "now").mockImplementation(() => new Date(Date.now() - 3_600_000));
    machine.socket.close(1000, "bye");
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(stub)).toBe(true));
    behind.mockRestore();
    expect((await stored())?.isOnline).toBe(false);
  });

  test("holds no alarm while the machine is there", async () => {
    const { object, stub, enrolled, stored } = await aConnector();
    await TestMachine.dial(object, enrolled, echo);
    await vi.waitFor(async () => expect((await stored())?.isOnline).toBe(true));
    expect(await runInDurableObject(stub, (_object, { storage }) => storage.getAlarm())).toBeNull();
  });
});

describe("a machine that breaks the protocol", () => {
  const WRONG: [string, (machine: TestMachine) => void][] = [
    ["says something else first", (machine) => machine.say({ type: "credit", stream: 1, bytes: 1 })],
    ["speaks another version", (machine) => machine.say({ ...HELLO, type: "hello", protocol: 2 } as typeof HELLO)],
    ["says no JSON", (machine) => machine.socket.send("hello")],
    ["sends bytes first", (machine) => machine.socket.send(encodeData(1, text("x")))],
  ];
  test.each(WRONG)("and %s is closed", async (_what, act) => {
    const { object, enrolled } = await aConnector();
    const machine = await TestMachine.silent(object, enrolled, echo);
    act(machine);
    expect(await machine.untilClosed()).toBe(CLOSE.wrongProtocol);
  });

  const LATER: [string, (machine: TestMachine, stream: number) => void][] = [
    ["says hello twice", (machine) => machine.say(HELLO)],
    ["sends data before headers", (machine, stream) => machine.socket.send(encodeData(stream, text("x")))],
    ["ends before headers", (machine, stream) => machine.say({ type: "end", stream })],
    [
      "sends headers twice",
      (machine, stream) => {
        for (let twice = 0; twice < 2; twice++) machine.say({ type: "headers", stream, status: 200, headers: [] });
      },
    ],
    [
      "sends more than it has credit for",
      (machine, stream) => {
        machine.say({ type: "headers", stream, status: 200, headers: [] });
        for (let sent = 0; sent < 8 * WINDOW_BYTES; sent += 131_072) {
          machine.socket.send(encodeData(stream, new Uint8Array(131_072)));
        }
      },
    ],
    ["sends too long a frame", (machine) => machine.socket.send(new Uint8Array(300 * 1024))],
  ];
  test.each(LATER)("and %s is closed, and whoever waits hears of it", async (_what, act) => {
    const { object, enrolled, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, () => new Promise(() => {}));
    const waiting = askMachine(object, target, "/api/tags");
    await machine.until("a stream", () => machine.streams.size > 0);
    act(machine, openedIn(machine));
    expect([await machine.untilClosed(), machine.closed?.reason]).toEqual([CLOSE.wrongProtocol, expect.any(String)]);
    const answer = await waiting;
    if (answer.status === 200) await expect(answer.arrayBuffer()).rejects.toThrow();
    else expect(answer.status).toBe(503);
  });

  const UNOPENED: [string, (machine: TestMachine, stream: number) => void][] = [
    ["headers", (machine, stream) => machine.say({ type: "headers", stream, status: 200, headers: [] })],
    ["data", (machine, stream) => machine.socket.send(encodeData(stream, text("x")))],
    ["credit", (machine, stream) => machine.say({ type: "credit", stream, bytes: 4 })],
    ["an end", (machine, stream) => machine.say({ type: "end", stream })],
    ["a reset", (machine, stream) => machine.say({ type: "reset", stream, message: "m" })],
  ];
  test.each(UNOPENED)("by %s of a stream that was never opened is closed", async (_what, act) => {
    const { object, enrolled, target } = await aConnector();
    const machine = await TestMachine.dial(object, enrolled, echo);
    expect((await askMachine(object, target, "/api/tags")).status).toBe(200);
    act(machine, openedIn(machine) + 1);
    expect(await machine.untilClosed()).toBe(CLOSE.wrongProtocol);
  });

  test("by speaking on of a stream that is over is told so once, however much it says, also by an object that slept", async () => {
    const { object, stub, enrolled, target } = await aConnector();
    let ask = 0;
    const machine = await TestMachine.dial(object, enrolled, (request) =>
      ask++ === 0 ? new Promise(() => {}) : echo(request),
    );
    const stop = new AbortController();
    const asking = askMachine(object, target, "/api/tags", { signal: stop.signal });
    await machine.until("a stream", () => machine.streams.size > 0);
    stop.abort();
    await expect(asking).rejects.toThrow();
    const stream = openedIn(machine);
    const speakOn = (): void => {
      for (let times = 0; times < 200; times++) {
        machine.say({ type: "headers", stream, status: 200, headers: [] });
        machine.socket.send(encodeData(stream, text("x")));
        machine.say({ type: "credit", stream, bytes: 4 });
        machine.say({ type: "end", stream });
      }
    };
    speakOn();
    expect(await (await askMachine(object, target, "/api/chat", { method: "POST", body: "ok" })).text()).toBe("ok");
    await evictDurableObject(stub);
    speakOn();
    expect(await (await askMachine(object, target, "/api/chat", { method: "POST", body: "ok" })).text()).toBe("ok");
    expect(machine.frames.filter((frame) => frame.includes('"reset"'))).toHaveLength(1);
    expect([openedIn(machine), machine.closed]).toEqual([stream + 2, null]);
  });
});
