/** Turns that a machine answers, and what becomes of them when it goes away in the middle. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type FakeOllama, startFakeOllama, wordsOf } from "./fake-ollama.ts";
import { answerIn, kinds, run, turn } from "./run-turn.ts";
import { type Machine, Person } from "./stage.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const WORDS = 120;

let stack: Stack;
let near: FakeOllama;
let far: FakeOllama;

beforeAll(async () => {
  [stack, near, far] = await Promise.all([
    startStack(),
    startFakeOllama({ name: "near", words: WORDS, delayMs: 20 }),
    startFakeOllama({ name: "far", words: WORDS, delayMs: 20 }),
  ]);
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([near?.close(), far?.close()]);
});

async function aPersonWith(...machines: [string, FakeOllama][]): Promise<{ person: Person; machines: Machine[] }> {
  const person = await Person.signUp(stack.url);
  const connected: Machine[] = [];
  for (const [name, ollama] of machines) connected.push(await person.connect(name, ollama));
  for (const machine of connected) await person.instanceOf(machine);
  return { person, machines: connected };
}

test("an answer streams from a machine that dialled in, word by word", async () => {
  const { person, machines } = await aPersonWith(["desk", near]);
  const lengths = new Set<number>();
  const events = await run(person, (characters) => lengths.add(characters));
  expect(answerIn(events)).toBe(wordsOf("near", WORDS).join(""));
  expect(lengths.size).toBeGreaterThan(10);
  await machines[0]?.remove();
});

test("a machine that is away is passed over for another with the same model, and the person is told", async () => {
  const { person, machines } = await aPersonWith(["desk", near], ["attic", far]);
  const [desk, attic] = machines;
  await desk?.process.end("SIGKILL");
  const first = answerIn(await run(person));
  expect(first).toBe(wordsOf("far", WORDS).join(""));
  desk?.restart();
  await desk?.process.says("Connected to");
  await attic?.process.end("SIGKILL");
  expect(answerIn(await run(person))).toBe(wordsOf("near", WORDS).join(""));
  for (const machine of machines) await machine.remove();
});

test("a machine that is killed in the middle of its answer: another one goes on, and the turn ends well", async () => {
  const { person, machines } = await aPersonWith(["desk", near], ["attic", far]);
  let killed: Promise<unknown> | undefined;
  const events = await run(person, (characters) => {
    if (characters < 60) return;
    const answering = machines.find(({ name }) => (name === "desk" ? near : far).asked.at(-1)?.includes("/api/chat"));
    killed ??= answering?.process.end("SIGKILL");
  });
  await killed;
  expect(killed).toBeDefined();
  expect(kinds(events).some((type) => type === "turn:continued" || type === "turn:rerouted")).toBe(true);
  expect(answerIn(events)).not.toBe("");
  for (const machine of machines) await machine.remove();
});

test("the only machine is killed in the middle of its answer and started again: the turn ends well", async () => {
  const { person, machines } = await aPersonWith(["desk", near]);
  const [desk] = machines;
  let back: Promise<unknown> | undefined;
  const events = await run(person, (characters) => {
    if (characters < 60) return;
    back ??= desk?.process.end("SIGKILL").then(() => desk.restart());
  });
  await back;
  expect(answerIn(events)).toContain("near");
  expect(kinds(events)).toContain("turn:continued");
  await desk?.remove();
});

test("stopping a turn ends the request at the model server on the machine", async () => {
  const { person, machines } = await aPersonWith(["desk", near]);
  const before = near.cut;
  for await (const frame of turn(person)) {
    if (frame.type === "message:delta") break;
    if (frame.type === "event" && frame.event.type === "turn:failed") throw new Error(JSON.stringify(frame.event));
  }
  const { items } = z
    .object({ items: z.array(z.object({ id: z.string() })) })
    .parse(await person.get("/api/conversations?limit=1"));
  expect((await person.request("POST", `/api/conversations/${items[0]?.id}/stop`)).status).toBeLessThan(300);
  await vi.waitFor(() => expect(near.cut).toBe(before + 1), { timeout: 20_000 });
  await machines[0]?.remove();
});
