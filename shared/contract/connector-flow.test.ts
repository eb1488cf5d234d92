import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { FairSender, Inlet } from "./connector-flow.ts";
import { CHUNK_BYTES, MAX_WINDOW_BYTES, WINDOW_BYTES } from "./connector-frames.ts";

// Other suites share the machine: what takes a second alone may take many.
vi.setConfig({ testTimeout: 30_000 });

const PATTERN = Uint8Array.from({ length: 251 }, (_, index) => index);

function bytes(length: number, first = 0): Uint8Array {
  const made = new Uint8Array(length);
  for (let at = 0; at < length; at += PATTERN.length) made.set(PATTERN.subarray(0, length - at), at);
  if (length > 0) made[0] = first;
  return made;
}
const sum = (chunks: readonly Uint8Array[]) => chunks.reduce((total, chunk) => total + chunk.byteLength, 0);

async function readAll(inlet: Inlet): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inlet) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("an inlet", () => {
  test("takes no byte more than was granted, and grants only what was read", async () => {
    let granted = 0;
    const inlet = new Inlet((more) => {
      granted += more;
    });
    expect(inlet.push(new Uint8Array(WINDOW_BYTES))).toBe(true);
    expect(inlet.push(new Uint8Array(1))).toBe(false);
    expect(granted).toBe(0);
    await inlet.read();
    expect(granted).toBe(WINDOW_BYTES);
    expect(inlet.push(new Uint8Array(WINDOW_BYTES))).toBe(true);
    expect(inlet.push(new Uint8Array(1))).toBe(false);
  });

  test("gives what came before the failure, then the failure", async () => {
    const inlet = new Inlet(() => {});
    inlet.push(bytes(3));
    inlet.fail(new Error("gone"));
    inlet.push(bytes(3));
    expect(await inlet.read()).toEqual(bytes(3));
    await expect(inlet.read()).rejects.toThrow("gone");
  });

  test("tells a waiting reader of the failure and of the end at once", async () => {
    const failing = new Inlet(() => {});
    const reading = failing.read();
    failing.fail(new Error("gone"));
    await expect(reading).rejects.toThrow("gone");
    const ending = new Inlet(() => {});
    const last = ending.read();
    ending.end();
    expect(await last).toBeNull();
  });
});

/** Two ends with a wire between them that delivers everything at once. */
function wired(sizes: readonly number[]) {
  const inlets = new Map<number, Inlet>();
  const order: number[] = [];
  const sender = new FairSender({
    data: (stream, chunk) => {
      order.push(stream);
      expect(chunk.byteLength).toBeLessThanOrEqual(CHUNK_BYTES);
      expect(inlets.get(stream)?.push(chunk.slice())).toBe(true);
    },
    end: (stream) => inlets.get(stream)?.end(),
    isBusy: () => false,
  });
  for (const stream of sizes.keys()) {
    inlets.set(stream, new Inlet((more) => expect(sender.credit(stream, more)).toBe(true)));
    sender.open(stream);
  }
  return { sender, inlets, order };
}

describe("a sender", () => {
  test("delivers every byte of every stream in order, whatever the sizes and whoever reads first", async () => {
    const sizes = fc.array(fc.nat(2 * WINDOW_BYTES), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (lengths, isReversed) => {
        const { sender, inlets } = wired(lengths);
        const sending = lengths.map(async (length, stream) => {
          await sender.push(stream, bytes(length, stream));
          sender.finish(stream);
        });
        const streams = [...inlets.keys()];
        if (isReversed) streams.reverse();
        for (const stream of streams) {
          const inlet = inlets.get(stream);
          if (!inlet) throw new Error("no inlet");
          const read = await readAll(inlet);
          expect(Buffer.from(read).equals(Buffer.from(bytes(lengths[stream] ?? 0, stream)))).toBe(true);
        }
        await Promise.all(sending);
      }),
      { numRuns: 10 },
    );
  });

  test("stops one stream at its window and lets the others go on", async () => {
    const { sender, inlets, order } = wired([4 * WINDOW_BYTES, 10]);
    void sender.push(0, bytes(4 * WINDOW_BYTES));
    expect(order.length * CHUNK_BYTES).toBe(WINDOW_BYTES);
    await sender.push(1, bytes(10));
    sender.finish(1);
    const other = inlets.get(1);
    expect(other && (await readAll(other)).byteLength).toBe(10);
  });

  test("takes turns: a small body does not wait for a large one", () => {
    const sent: number[] = [];
    let isBusy = true;
    const sender = new FairSender({ data: (stream) => sent.push(stream), end: () => {}, isBusy: () => isBusy });
    for (const stream of [1, 2, 3]) sender.open(stream);
    void sender.push(1, bytes(4 * CHUNK_BYTES));
    void sender.push(2, bytes(2 * CHUNK_BYTES));
    void sender.push(3, bytes(1));
    isBusy = false;
    sender.pump();
    expect(sent).toEqual([1, 2, 3, 1, 2, 1, 1]);
  });

  test("holds back while the socket is busy, and whoever pushes with it", async () => {
    const sent: Uint8Array[] = [];
    let isBusy = true;
    const sender = new FairSender({ data: (_stream, chunk) => sent.push(chunk), end: () => {}, isBusy: () => isBusy });
    sender.open(1);
    let isThrough = false;
    const pushing = sender.push(1, bytes(10)).then(() => {
      isThrough = true;
    });
    await Promise.resolve();
    expect([isThrough, sum(sent)]).toEqual([false, 0]);
    isBusy = false;
    sender.pump();
    await pushing;
    expect([isThrough, sum(sent)]).toEqual([true, 10]);
  });

  test("lets go of whoever pushes into a stream that is over", async () => {
    const sender = new FairSender({ data: () => {}, end: () => {}, isBusy: () => true });
    sender.open(1);
    const pushing = sender.push(1, bytes(10));
    sender.drop(1);
    await pushing;
    await sender.push(1, bytes(10));
  });

  test("refuses credit beyond what anybody may give", () => {
    const { sender } = wired([0]);
    expect(sender.credit(0, MAX_WINDOW_BYTES)).toBe(false);
    expect(sender.credit(9, MAX_WINDOW_BYTES)).toBe(true);
  });
});
