/**
 * `npm run bench:connector`: what a machine that dials in costs against asking its model server directly, in turns and in
 * one run: time added to each token of a paced answer, throughput of a large body, and twenty of them at once. The house,
 * the connector's process and the fake Ollama share this machine.
 */
import { MODEL, startFakeOllama } from "../tests/connector/fake-ollama.ts";
import { type Machine, Person } from "../tests/connector/stage.ts";
import { startHouse } from "./house/house.ts";
import { percentile, printFigures } from "./statistics.ts";

const ROUNDS = 20;
const WORDS = 100;
const WARM_UP = 3;
const LARGE_BYTES = 200_000_000;
const PARALLEL = 20;
const PARALLEL_BYTES = 10_000_000;

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Milliseconds from the model server's write to this reader, of every token of one answer. */
async function tokenDelays(ask: Ask): Promise<number[]> {
  const delays: number[] = [];
  const response = await ask("/api/chat", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: [] }),
  });
  let rest = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const now = performance.now();
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const sentAt = Number(/"content":"([\d.]+)"/.exec(line)?.[1]);
      if (sentAt > 0) delays.push(now - sentAt);
    }
  }
  if (delays.length < WORDS) throw new Error(`an answer was not whole: ${delays.length} of ${WORDS} tokens`);
  return delays;
}

/** Reads a body of so many bytes and throws it away. @returns megabytes per second */
async function throughput(ask: Ask, bytes: number, parallel = 1): Promise<number> {
  const beganAt = performance.now();
  const read = await Promise.all(
    Array.from({ length: parallel }, async () => {
      let sum = 0;
      for await (const chunk of (await ask(`/api/tags?bytes=${bytes}`)).body ?? []) sum += chunk.byteLength;
      return sum;
    }),
  );
  if (read.some((sum) => sum !== bytes)) throw new Error(`a body was not whole: ${read.join(", ")} of ${bytes} bytes`);
  return (bytes * parallel) / 1e6 / ((performance.now() - beganAt) / 1000);
}

const ollama = await startFakeOllama({ words: WORDS, delayMs: 10, stamped: true });
const house = await startHouse();
let machine: Machine | undefined;
try {
  machine = await (await Person.signUp(house.url)).connect("bench", ollama);
  const connected = machine;
  const through: Ask = (path, init) => connected.ask(path, init);
  const direct: Ask = (path, init) => fetch(`${ollama.url}${path}`, init);
  for (let round = 0; round < WARM_UP; round++) for (const ask of [direct, through]) await tokenDelays(ask);
  const delays = { direct: [] as number[], through: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    delays.direct.push(...(await tokenDelays(direct)));
    delays.through.push(...(await tokenDelays(through)));
  }
  const added = (share: number): number => percentile(delays.through, share) - percentile(delays.direct, share);
  const speeds = { direct: [] as number[], through: [] as number[] };
  for (let round = 0; round < WARM_UP; round++) {
    speeds.direct.push(await throughput(direct, LARGE_BYTES));
    speeds.through.push(await throughput(through, LARGE_BYTES));
  }
  const together = {
    direct: await throughput(direct, PARALLEL_BYTES, PARALLEL),
    through: await throughput(through, PARALLEL_BYTES, PARALLEL),
  };
  const half = (samples: readonly number[]): number => percentile(samples, 0.5);
  printFigures([
    { what: "a token from the model server directly, p50", value: half(delays.direct), unit: "ms" },
    { what: "a token through the connector, p50", value: half(delays.through), unit: "ms" },
    { what: "added to a token, p50", value: added(0.5), unit: "ms", atMost: 2 },
    { what: "added to a token, p99", value: added(0.99), unit: "ms" },
    { what: "response body directly", value: half(speeds.direct), unit: "MB/s" },
    { what: "response body through the connector", value: half(speeds.through), unit: "MB/s", atLeast: 20 },
    { what: `${PARALLEL} bodies at once directly, together`, value: together.direct, unit: "MB/s" },
    {
      what: `${PARALLEL} bodies at once through the connector, together`,
      value: together.through,
      unit: "MB/s",
      atLeast: 20,
    },
  ]);
} finally {
  await machine?.remove();
  await house.stop();
  await ollama.close();
}
