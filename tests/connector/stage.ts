/** A running house, people, and their machines: everything real but the models. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { BenchAccount } from "../../bench/bench-account.ts";
import { aHome, type Home } from "../../shared/testing/node/terminal-process.ts";
import { ConnectorProcess } from "./connector-process.ts";
import type { FakeOllama } from "./fake-ollama.ts";

const Connector = z.object({ id: z.string(), name: z.string(), state: z.string(), upstreams: z.array(z.unknown()) });
const Connectors = z.object({ items: z.array(Connector) });
const Models = z.object({
  items: z.array(z.looseObject({ providerId: z.string(), provider: z.string(), id: z.string() })),
});
const Providers = z.object({
  items: z.array(
    z.looseObject({
      id: z.string(),
      displayName: z.string(),
      config: z.looseObject({ connectorId: z.string().optional() }),
    }),
  ),
});
const ConfigFile = z.object({
  servers: z.record(z.string(), z.object({ connectorId: z.string(), stamp: z.string(), secret: z.string() })),
});

/** Asks again until it is so. */
export async function eventually<Value>(what: string, look: () => Promise<Value | null | false>): Promise<Value> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come about`);
    await sleep(100);
  }
}

interface Place {
  url: string;
  /** What the program is run by. */
  wrap: readonly string[];
}

export class Machine {
  readonly home: Home = aHome();
  readonly person: Person;
  readonly name: string;
  process: ConnectorProcess;
  readonly #place: Place;

  /** `place`: where it runs and how it reaches the house, unless that is beside it. */
  constructor(person: Person, name: string, words: readonly string[], place?: Place) {
    this.person = person;
    this.name = name;
    this.#place = place ?? { url: person.account.url, wrap: [] };
    this.process = this.#start(words);
  }

  /** The same machine once more: it knows its secret by now. */
  restart(): void {
    this.process = this.#start([]);
  }

  #start(words: readonly string[]): ConnectorProcess {
    const { url, wrap } = this.#place;
    return new ConnectorProcess(this.home, ["--url", url, ...words], wrap);
  }

  get saved(): { connectorId: string; stamp: string; secret: string } {
    const text = readFileSync(join(this.home.path, "config", "mosaic", "connector.json"), "utf8");
    const found = ConfigFile.parse(JSON.parse(text)).servers[this.#place.url];
    if (!found) throw new Error("this machine is not enrolled");
    return found;
  }

  /** Straight to the model server, past the adapters. */
  ask(path: string, init: RequestInit = {}, ownerUserId = this.person.account.userId): Promise<Response> {
    const { url } = this.person.account;
    return fetch(`${url}/api/bench/machine/${this.saved.connectorId}/${ownerUserId}/ollama${path}`, init);
  }

  async remove(): Promise<void> {
    await this.process.end("SIGKILL");
    this.home.remove();
  }
}

export class Person {
  readonly account: BenchAccount;
  readonly token: string;

  private constructor(account: BenchAccount) {
    this.account = account;
    this.token = account.authorization.authorization.replace("Bearer ", "");
  }

  static async signUp(url: string): Promise<Person> {
    return new Person(await BenchAccount.signUp(url));
  }

  /** Connects a machine of theirs, and waits until it is. */
  async connect(name: string, ollama: FakeOllama, token = this.token): Promise<Machine> {
    const machine = new Machine(this, name, ["--name", name, "--ollama", ollama.url, "--token", token]);
    await machine.process.says("Connected to");
    return machine;
  }

  async get(path: string): Promise<unknown> {
    const response = await this.request("GET", path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return await response.json();
  }

  request(method: string, path: string, body?: object): Promise<Response> {
    const { url, authorization } = this.account;
    const headers = { ...authorization, origin: url, ...(body && { "content-type": "application/json" }) };
    return fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }

  async connectors(): Promise<z.infer<typeof Connector>[]> {
    return Connectors.parse(await this.get("/api/connectors")).items;
  }

  /** Waits until a machine's models can be asked, and answers its instance. */
  async instanceOf(machine: Machine): Promise<string> {
    const { connectorId } = machine.saved;
    const { id } = await eventually(`an instance on ${machine.name}`, async () => {
      const { items } = Providers.parse(await this.get("/api/providers"));
      return items.find(({ config }) => config.connectorId === connectorId) ?? null;
    });
    await this.request("POST", `/api/providers/${id}/test`);
    await eventually(`models on ${machine.name}`, async () => {
      const { items } = Models.parse(await this.get("/api/models?limit=200"));
      return items.some(({ providerId }) => providerId === id);
    });
    return id;
  }
}
