import { setTimeout as sleep } from "node:timers/promises";
import {
  type Behaviour,
  type FakeModelServer,
  startFakeModelServer,
} from "../../shared/testing/providers/fake-model-server.ts";
import { BenchAccount } from "../bench-account.ts";
import type { House } from "../house/house.ts";
import { LiveClient } from "../live-client.ts";
import { type Figure, percentile } from "../statistics.ts";
import { connectVendor } from "./connect.ts";

const WARM_UP = 5;
const ROUNDS = 50;
/** The work that a turn leaves behind, such as its way to Postgres, is over by then. */
const PAUSE_MS = 150;
/** What the house of this measurement is started with. */
export const HEADERS_TIMEOUT_MS = 500;

const STATES = ["well", "429", "500", "refused", "silent"] as const;
type State = (typeof STATES)[number];

/** `refused` is no behaviour: nobody listens. */
const BEHAVIOURS: Readonly<Record<State, Behaviour>> = {
  well: {},
  "429": { status: 429 },
  "500": { status: 500 },
  refused: {},
  silent: { hangBeforeHeaders: true },
};

/** The provider that is asked first, in one state after the other; `account` has one that is always well behind it. */
class Primary {
  readonly #account: BenchAccount;
  readonly #id: string;
  #vendor: FakeModelServer;
  #changes = 0;

  private constructor(account: BenchAccount, vendor: FakeModelServer, id: string) {
    this.#account = account;
    this.#vendor = vendor;
    this.#id = id;
  }

  static async connect(account: BenchAccount): Promise<Primary> {
    const vendor = await startFakeModelServer();
    return new Primary(account, vendor, await connectVendor(account, "Primary", vendor.url));
  }

  /** While its list answers, the instance is renamed: as after every change, nothing of its past counts any more. */
  async turn(state: State): Promise<void> {
    this.#changes++;
    await this.#account.patch(`/api/providers/${this.#id}`, { displayName: `Primary ${this.#changes}` });
    await sleep(PAUSE_MS);
    this.#vendor.always(BEHAVIOURS[state]);
    if (state === "refused") await this.#vendor.close();
  }

  async recover(state: State): Promise<void> {
    if (state === "refused") this.#vendor = await startFakeModelServer({ port: this.#vendor.port });
  }

  close(): Promise<void> {
    return this.#vendor.close();
  }
}

/** Milliseconds to the first token. @throws Error when the answer did not come from where it should */
async function firstToken(client: LiveClient, primary: Primary, state: State): Promise<number> {
  await primary.turn(state);
  const { firstTokenMs, reroutes } = await client.ask("Hello");
  await primary.recover(state);
  if (reroutes !== (state === "well" ? 0 : 1)) throw new Error(`${reroutes} failovers with the primary ${state}.`);
  return firstTokenMs;
}

/**
 * First token while the provider that is asked first is well, and while it fails and the second one answers. The breaker
 * must not spare what is measured: it would pass a broken provider over after a few failures, and then nothing fails
 * over any more. So the health of the first one starts anew before every question, the well ones included, and each
 * broken round is checked to have failed over exactly once.
 */
export async function measureFailover({ url, models }: House): Promise<Figure[]> {
  models.always({ reply: "Hello there, this is a short answer." });
  const account = await BenchAccount.signUp(url);
  const primary = await Primary.connect(account);
  await connectVendor(account, "Second", models.url);
  const client = await LiveClient.attach(account, (await account.createConversation()).id);
  await client.hello();
  const samples: Record<State, number[]> = { well: [], "429": [], "500": [], refused: [], silent: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const state of STATES) {
      const ms = await firstToken(client, primary, state);
      if (round >= WARM_UP) samples[state].push(ms);
    }
  }
  client.terminate();
  await primary.close();
  return figuresOf(samples);
}

function figuresOf(samples: Readonly<Record<State, readonly number[]>>): Figure[] {
  const half = (state: State): number => percentile(samples[state], 0.5);
  const added = (state: State): number => half(state) - half("well");
  const after = "the first token comes later, p50";
  return [
    { what: "first token, the first provider well, p50", value: half("well"), unit: "ms" },
    { what: "first token, the first provider well, p90", value: percentile(samples.well, 0.9), unit: "ms" },
    { what: `429: ${after}`, value: added("429"), unit: "ms", atMost: 10 },
    { what: `500: ${after}`, value: added("500"), unit: "ms", atMost: 10 },
    { what: `connections refused: ${after}`, value: added("refused"), unit: "ms", atMost: 10 },
    {
      what: `no headers: ${after}, beyond the timeout of ${HEADERS_TIMEOUT_MS} ms`,
      value: added("silent") - HEADERS_TIMEOUT_MS,
      unit: "ms",
      atMost: 20,
    },
  ];
}
