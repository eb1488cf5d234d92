/**
 * `npm run fuzz:frames`: hostile frames over real sockets against the Worker in workerd, and many more against the two
 * decoders alone. `--seed <n>` replays a run, `--inputs <n>`, `--decoder-inputs <n>`, `--report <file>` for JSON.
 */
import { randomInt, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { BenchAccount } from "../../bench/bench-account.ts";
import { type House, startHouse } from "../../bench/house/house.ts";
import { decodeServerFrame } from "../../shared/client/decode-frame.ts";
import { decodeClientFrame } from "../../shared/contract/frames.ts";
import { frameInputs, serverFrameInputs } from "./frame-inputs.ts";
import { expectPlain, type FuzzCounts, fuzzFrames } from "./fuzz-frames.ts";
import { NodeSocket } from "./node-socket.ts";
import { sendBrokenBytes } from "./raw-bytes.ts";

const PER_CONVERSATION = 6_000;
const PER_SAMPLE = 20_000;

/** What workerd itself says of a connection whose framing is broken; the Worker never sees it. */
const BROKEN_FRAMING = /WebSocket protocol error/;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    inputs: { type: "string", default: "60000" },
    "decoder-inputs": { type: "string", default: "1000000" },
    report: { type: "string" },
  },
});

function readNumber(name: "seed" | "inputs" | "decoder-inputs"): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} is a whole number, 0 or more.`);
  return number;
}
const [seed, inputs, decoderInputs] = [readNumber("seed"), readNumber("inputs"), readNumber("decoder-inputs")];

interface SocketRun extends FuzzCounts {
  conversations: number;
  brokenConnections: number;
}

async function fuzzSockets(house: House): Promise<SocketRun> {
  const total: SocketRun = {
    inputs: 0,
    sockets: 0,
    errors: {},
    answered: 0,
    floodsClosed: 0,
    conversations: 0,
    brokenConnections: 0,
  };
  const account = await BenchAccount.signUp(house.url);
  house.models.always({ reply: "Still here." });
  const pid = house.workerdPid;
  for (let part = 0; total.conversations * PER_CONVERSATION < inputs; part++) {
    const { id } = await account.createConversation();
    const address = account.socketAddress(id);
    const before = await house.livesOf(id);
    const counts = await fuzzFrames({
      seed: seed + part,
      inputs: Math.min(PER_CONVERSATION, inputs - total.conversations * PER_CONVERSATION),
      newId: randomUUID,
      connect: () => NodeSocket.open(address, account.authorization),
    });
    total.brokenConnections += await sendBrokenBytes(address, account.authorization, seed + part);
    if ((await house.livesOf(id)) !== before)
      throw new Error(`conversation ${part} of seed ${seed}: its object was made anew`);
    if (house.workerdPid !== pid || !house.isRunning()) throw new Error(`workerd ended; seed ${seed}, part ${part}`);
    total.conversations++;
    total.inputs += counts.inputs;
    total.sockets += counts.sockets;
    total.answered += counts.answered;
    total.floodsClosed += counts.floodsClosed;
    for (const [code, times] of Object.entries(counts.errors)) total.errors[code] = (total.errors[code] ?? 0) + times;
    console.log(`${total.inputs} inputs over ${total.sockets} sockets`);
  }
  const failures = house.failures.filter((line) => !BROKEN_FRAMING.test(line));
  if (failures.length > 0) throw new Error(`The Worker logged failures: ${failures.slice(0, 3).join("\n")}`);
  return total;
}

function fuzzDecoders(): { client: number; refused: number; server: number; read: number } {
  const counts = { client: 0, refused: 0, server: 0, read: 0 };
  const half = decoderInputs / 2;
  for (let part = 0; counts.client < half; part++) {
    for (const input of frameInputs(seed + part, Math.min(PER_SAMPLE, half - counts.client))) {
      counts.client++;
      const decoded = typeof input === "string" ? decodeClientFrame(input) : null;
      if (!decoded || decoded.ok) continue;
      counts.refused++;
      expectPlain(counts.client, decoded.error);
    }
    for (const text of serverFrameInputs(seed + part, PER_SAMPLE)) {
      counts.server++;
      if (decodeServerFrame(text) !== null) counts.read++;
    }
  }
  return counts;
}

console.log(`Seed ${seed}.`);
const decoders = fuzzDecoders();
console.log(`The decoders took ${decoders.client} client frames and ${decoders.server} server frames.`);
const house = await startHouse();
try {
  const sockets = await fuzzSockets(house);
  console.log(
    `The Worker took ${sockets.inputs} inputs over ${sockets.sockets} sockets to ${sockets.conversations} conversations: ` +
      "nothing crashed, no object was made anew, every frame was answered as the protocol says.",
  );
  console.log(JSON.stringify(sockets.errors));
  if (values.report) writeFileSync(values.report, `${JSON.stringify({ seed, decoders, sockets }, null, 2)}\n`);
} finally {
  await house.stop();
}
