/**
 * One person connects all five vendors and a machine of theirs, lists their models, is answered by each, and then by
 * the next one while each in turn is broken. The stack is the real one, the person uses its public API alone, and the
 * vendors are servers that others wrote; the machine's model server is ours.
 */
import * as z from "zod";
import { Model } from "../../shared/contract/model.ts";
import { Provider, ProviderTest } from "../../shared/contract/provider.ts";
import { startStack } from "../../shared/testing/node/stack.ts";
import { type FakeOllama, MODEL, startFakeOllama } from "../connector/fake-ollama.ts";
import { answerIn, type Event, run } from "../connector/run-turn.ts";
import { type Machine, Person } from "../connector/stage.ts";
import { type Fault, PEER_KINDS, type Peer, startPeer } from "./peers.ts";

/** Long enough for a slow machine, short enough to wait for. */
const HEADERS_TIMEOUT_MS = 3_000;
/** Characters of a machine's answer after which its connector is killed. */
const MIDWAY = 60;

interface Break {
  kind: Peer["kind"];
  fault: Fault;
  means: string;
  /** What the person must be told of it. */
  why: RegExp;
}

const BREAKS: readonly Break[] = [
  { kind: "anthropic", fault: "401", means: "takes the key for a wrong one", why: /refused the API key \(401\)/ },
  { kind: "openai", fault: "429", means: "has had too many requests", why: /\(429\)/ },
  { kind: "openrouter", fault: "500", means: "is broken inside", why: /\(500\)/ },
  { kind: "zai", fault: "hang", means: "takes the request and never answers", why: /in time|for too long/ },
  { kind: "ollama", fault: "refused", means: "is not running", why: /cannot be reached/ },
  { kind: "anthropic", fault: "cut", means: "loses the connection in the middle of every answer", why: /ended before/ },
];

const Models = z.object({ items: z.array(Model) });

/** An instance of the person's, and what its answers are known by. */
interface Connected {
  id: string;
  name: string;
  model: string;
  reply: string;
}

interface Scene {
  person: Person;
  peers: readonly Peer[];
  ollama: FakeOllama;
  print: (line: string) => void;
  /** Says whether something came about; what did not is kept. */
  must: (what: string, isSo: boolean) => void;
}

const connected = new Intl.ListFormat("en");

async function connectVendors({ person, peers, print, must }: Scene): Promise<Connected[]> {
  print("A person connects every vendor with keys of their own:");
  const made: Connected[] = [];
  for (const { kind, name, model, baseUrl, reply } of peers) {
    const credential = kind === "ollama" ? {} : { credential: { apiKey: `sk-of-a-person-for-${kind}` } };
    const body = { kind, displayName: name, config: { baseUrl }, ...credential };
    const { id, scope } = Provider.parse(await person.account.post("/api/providers", body));
    const { ok, models, error } = ProviderTest.parse(await person.account.post(`/api/providers/${id}/test`, {}));
    must(
      `${name} is connected: ${error ?? `it lists ${models} model${models === 1 ? "" : "s"}`}`,
      ok && scope === "user",
    );
    made.push({ id, name, model, reply });
  }
  return made;
}

async function connectMachine({ person, ollama, must }: Scene): Promise<{ machine: Machine; instance: Connected }> {
  const machine = await person.connect("desk", ollama);
  const id = await person.instanceOf(machine);
  must("a machine of theirs dials in with `mosaic connect`, and is connected", true);
  return { machine, instance: { id, name: "Ollama on desk", model: MODEL, reply: "desk w0 w1" } };
}

async function listModels({ person, print, must }: Scene, instances: readonly Connected[]): Promise<void> {
  print("GET /api/models lists what each of them has:");
  const { items } = Models.parse(await person.get("/api/models?limit=200"));
  for (const { id, name, model } of instances) {
    const own = items.filter(({ providerId }) => providerId === id);
    must(
      `${name}: ${connected.format(own.map((each) => each.id))}`,
      own.some((each) => each.id === model),
    );
  }
}

async function chatWithEach({ person, print, must }: Scene, instances: readonly Connected[]): Promise<void> {
  print("Each of them answers when it is asked for by name:");
  for (const { id, name, model, reply } of instances) {
    const text = answerIn(await run(person, undefined, `${id}/${model}`));
    must(`${name}: ${shortened(text)}`, text.startsWith(reply));
  }
}

const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, " ");
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
};

/** Makes an instance the one that is asked first. Its health starts anew, as with every change. */
async function prefer(person: Person, { id }: Connected): Promise<void> {
  const answer = await person.request("PATCH", `/api/providers/${id}`, { isDefault: true });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}

/** What the person is told of a turn that its first provider broke, and whether another one ended it well. */
function follow({ print, must }: Scene, broken: Connected, why: RegExp, events: readonly Event[]): void {
  let isTold = false;
  for (const event of events) {
    if (event.type === "turn:continued") print(`     turn:continued: ${event.why}`);
    if (event.type === "turn:rerouted") print(`     turn:rerouted to ${event.to.model}: ${event.why}`);
    if (event.type === "turn:rerouted" || event.type === "turn:continued") isTold ||= why.test(event.why);
  }
  must("the person is told why", isTold);
  const end = events.find((event) => event.type === "turn:completed");
  const by = end?.type === "turn:completed" ? end.message.metadata.model : undefined;
  const isOther = by !== undefined && by !== broken.model;
  must(`${by ?? "nobody"} answers instead: ${shortened(end ? answerIn(events) : "")}`, isOther);
}

async function breakEach(scene: Scene, instances: readonly Connected[]): Promise<void> {
  const { person, peers, print, must } = scene;
  for (const { kind, fault, means, why } of BREAKS) {
    const peer = peers.find((each) => each.kind === kind);
    const instance = instances.find(({ name }) => name === peer?.name);
    if (!peer || !instance) throw new Error(`There is no ${kind} to break.`);
    await prefer(person, instance);
    await peer.break(fault);
    print(`${peer.name} ${means}:`);
    follow(scene, instance, why, await run(person, undefined, null));
    await peer.mend();
    await prefer(person, instance);
    const text = answerIn(await run(person, undefined, null));
    must(`${peer.name} is well again, and answers`, text === peer.reply);
  }
}

async function breakMachine(scene: Scene, machine: Machine, instance: Connected): Promise<void> {
  const { person, print } = scene;
  await prefer(person, instance);
  print("The machine's connector is killed in the middle of its answer:");
  let killed: Promise<unknown> | undefined;
  const events = await run(
    person,
    (characters) => {
      if (characters > MIDWAY) killed ??= machine.process.end("SIGKILL");
    },
    null,
  );
  await killed;
  follow(scene, instance, /connection to Ollama ended/, events);
}

async function play(scene: Scene): Promise<void> {
  const vendors = await connectVendors(scene);
  const { machine, instance } = await connectMachine(scene);
  try {
    const all = [...vendors, instance];
    await listModels(scene, all);
    await chatWithEach(scene, all);
    await breakEach(scene, vendors);
    await breakMachine(scene, machine, instance);
  } finally {
    await machine.remove();
  }
}

/** @returns what did not come about; nothing where all is well */
export async function playProviders(print: (line: string) => void): Promise<string[]> {
  const failed: string[] = [];
  const must: Scene["must"] = (what, isSo) => {
    print(`${isSo ? "ok  " : "FAIL"} ${what}`);
    if (!isSo) failed.push(what);
  };
  const peers = await Promise.all(PEER_KINDS.map(startPeer));
  const ollama = await startFakeOllama({ name: "desk", words: 60, delayMs: 20 });
  const env = {
    ALLOW_PRIVATE_NETWORK: "1",
    PROVIDER_HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS),
  };
  const stack = await startStack({ env });
  try {
    const person = await Person.signUp(stack.url);
    await play({ person, peers, ollama, print, must });
  } finally {
    await stack.stop();
    await Promise.all([...peers.map((peer) => peer.close()), ollama.close()]);
  }
  return failed;
}
