import { createExecutionContext, createMessageBatch, createScheduledController, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../shared/domain/app-error.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import wranglerToml from "../../wrangler.toml?raw";
import { cronExpressions, runCron } from "../cron/run-cron.ts";
import worker from "../index.ts";
import { consume, queueNames } from "./consume.ts";
import type { MaintenanceMessage, Work } from "./maintenance.ts";

const QUEUE = "mosaic-maintenance";
const DEAD = "mosaic-maintenance-dead";

afterEach(() => void vi.restoreAllMocks());

const messages = (...bodies: unknown[]) =>
  bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: 1, body }));

/** Everything is under the newest key. */
const atRest: Work["credentials"] = { rewrap: async () => ({ rewrapped: 0, failed: 0, left: 0, byKey: { k2: 3 } }) };

/** Runs a batch over work whose sweep is given. */
async function deliver(
  queue: string,
  bodies: unknown[],
  sweepExpired: Work["maintenance"]["sweepExpired"],
  credentials = atRest,
) {
  const sent: MaintenanceMessage[] = [];
  const batch = createMessageBatch(queue, messages(...bodies));
  await consume(batch, {
    maintenance: { sweepExpired },
    credentials,
    send: async (message) => void sent.push(message),
  });
  return { result: await getQueueResult(batch, createExecutionContext()), sent };
}

/** Lines of `console[level]` from here on. */
function lines(level: "log" | "error"): string[] {
  const said: string[] = [];
  vi.spyOn(console, level).mockImplementation((line: string) => void said.push(line));
  return said;
}

const nothing = async () => ({ rows: 0, more: false });

describe("the queue's consumer", () => {
  test("sweeps in rounds until nothing is left, and says how much it was", async () => {
    const said = lines("log");
    const left = [500, 500, 7];
    const { result, sent } = await deliver(QUEUE, [{ job: "sweep-expired" }], async (atMost) => {
      const rows = left.shift() ?? 0;
      return { rows, more: rows >= atMost };
    });
    expect(result).toMatchObject({ outcome: "ok", explicitAcks: ["m0"], retryMessages: [] });
    expect(said).toEqual(["Maintenance: removed 1007 expired rows."]);
    expect(sent).toEqual([]);
  });

  test("stops after its rounds and leaves the rest to a message of its own", async () => {
    lines("log");
    const sweep = vi.fn(async () => ({ rows: 500, more: true }));
    const { result, sent } = await deliver(QUEUE, [{ job: "sweep-expired" }], sweep);
    expect(sweep).toHaveBeenCalledTimes(10);
    expect(sent).toEqual([{ job: "sweep-expired" }]);
    expect(result.explicitAcks).toEqual(["m0"]);
  });

  test("retries the message that failed and no other, without repeating the database's words", async () => {
    const said = lines("error");
    const sweep = vi
      .fn(nothing)
      .mockRejectedValueOnce(new AppError("database_unavailable", "The database cannot be reached right now."))
      .mockRejectedValueOnce(new Error("Key (token)=(secret) exists"));
    const job = { job: "sweep-expired" };
    const { result } = await deliver(QUEUE, [job, job, job], sweep);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["m0", "m1"]);
    expect(result.explicitAcks).toEqual(["m2"]);
    expect(said).toEqual([
      "Maintenance: sweep-expired failed (attempt 1): The database cannot be reached right now.",
      "Maintenance: sweep-expired failed (attempt 1): Error",
    ]);
  });

  test("waits longer with each attempt", async () => {
    lines("error");
    const retry = vi.fn();
    const one = (attempts: number) => ({ ...messages({ job: "sweep-expired" })[0], attempts, retry, ack: vi.fn() });
    const batch = { queue: QUEUE, messages: [one(1), one(2), one(3)] } as unknown as MessageBatch;
    const sweepExpired = async () => Promise.reject(new Error("away"));
    await consume(batch, { maintenance: { sweepExpired }, credentials: atRest, send: async () => {} });
    expect(retry.mock.calls).toEqual([[{ delaySeconds: 30 }], [{ delaySeconds: 120 }], [{ delaySeconds: 480 }]]);
  });

  test("drops what no job can read, and says so", async () => {
    const said = lines("error");
    const sweep = vi.fn(nothing);
    const hostile = [null, "sweep-expired", { job: "drop-tables" }, { job: "sweep-expired", more: 1 }];
    const { result } = await deliver(QUEUE, hostile, sweep);
    expect(result.explicitAcks).toHaveLength(4);
    expect(sweep).not.toHaveBeenCalled();
    expect(said).toHaveLength(4);
    expect(said.join()).not.toContain("drop-tables");
  });

  test("says of each dead letter what was given up, in one line", async () => {
    const said = lines("error");
    const { result } = await deliver(DEAD, [{ job: "sweep-expired" }, "?\n?"], nothing);
    expect(result.explicitAcks).toEqual(["m0", "m1"]);
    expect(said[0]).toContain("gave up on sweep-expired (message m0");
    expect(said[1]).toContain("gave up on an unknown job (message m1");
    expect(said.join()).not.toContain("\n");
  });

  test("moves credentials to the newest key, counts them by key, and leaves the rest to a message of its own", async () => {
    const [said, wrong] = [lines("log"), lines("error")];
    const left = [
      { rewrapped: 500, failed: 0, left: 2, byKey: { k1: 2, k2: 500 } },
      { rewrapped: 2, failed: 1, left: 1, byKey: { k0: 1, k2: 502 } },
    ];
    const rewrap = vi.fn(async (_limit: number) => left.shift() ?? atRest.rewrap(1));
    const job = { job: "rewrap-credentials" };
    const first = await deliver(QUEUE, [job], nothing, { rewrap });
    expect([first.sent, first.result.explicitAcks]).toEqual([[job], ["m0"]]);
    expect((await deliver(QUEUE, [job, job], nothing, { rewrap })).sent).toEqual([]);
    expect(rewrap.mock.calls).toEqual([[500], [500], [500]]);
    expect(said).toEqual([
      "Maintenance: moved 500 credentials to the newest key; now 2 under k1, 500 under k2.",
      "Maintenance: moved 2 credentials to the newest key; now 1 under k0, 502 under k2.",
    ]);
    expect(wrong).toEqual([
      "Maintenance: 1 credentials cannot be opened with the keys in CREDENTIALS_KEYS; put the missing key back.",
    ]);
  });

  test("keeps the messages of a queue that nobody consumes", async () => {
    await expect(deliver("another-queue", ["x"], nothing)).rejects.toThrow('The queue "another-queue" has no consumer');
  });
});

const noProbes = { everySeconds: () => 60, probeDue: async () => ({ probed: 0 }), wait: async () => {}, now: () => 0 };

describe("the timer", () => {
  test("asks for the sweep, and for the move to the newest key", async () => {
    const send = vi.fn(async () => {});
    await runCron("17 * * * *", { probes: noProbes, send });
    expect(send.mock.calls).toEqual([[{ job: "sweep-expired" }], [{ job: "rewrap-credentials" }]]);
  });

  test("refuses an expression without a job", async () => {
    const work = { probes: noProbes, send: async () => {} };
    await expect(runCron("1 1 1 1 *", work)).rejects.toThrow('The cron trigger "1 1 1 1 *" has no job');
  });

  test.each([
    [60, 100, ["probe for 60000"]],
    [3_600, 100, ["probe for 60000"]],
    [20, 100, ["probe for 60000", "wait 19900", "probe for 40000", "wait 19900", "probe for 20000"]],
    [20, 25_000, ["probe for 60000", "wait 15000", "probe for 20000"]],
    [5, 60_000, ["probe for 60000"]],
  ])(
    "probes providers every %i seconds, each round taking %i ms, within its minute",
    async (seconds, takesMs, expected) => {
      const did: string[] = [];
      let nowMs = 0;
      const probes = {
        everySeconds: () => seconds,
        probeDue: async (forMs: number) => {
          did.push(`probe for ${forMs}`);
          nowMs += Math.min(forMs, takesMs);
          return { probed: 1 };
        },
        wait: async (ms: number) => {
          did.push(`wait ${ms}`);
          nowMs += ms;
        },
        now: () => nowMs,
      };
      await runCron("* * * * *", { probes, send: async () => {} });
      expect(did).toEqual(expected);
      expect(nowMs).toBeLessThanOrEqual(60_000);
    },
  );

  test("has a job for each trigger of wrangler.toml, and a consumer for each of its queues", () => {
    const crons = /^crons = \[(.*)\]$/m.exec(wranglerToml)?.[1] ?? "";
    expect(cronExpressions).toEqual(crons.split(/, */).map((cron) => cron.replaceAll('"', "")));
    const consumed = [...wranglerToml.matchAll(/\[\[queues\.consumers\]\]\s+queue = "(.+)"/g)].map(([, name]) => name);
    expect(queueNames).toEqual(consumed);
    expect(consumed).toEqual([QUEUE, DEAD]);
  });
});

test("from the timer over the queue to the rows: what expired is gone, what has not is there", async () => {
  const said = lines("log");
  const sql = ownerSql();
  const [gone, there] = [newId(), newId()];
  for (const [id, when] of [
    [gone, "-2 hours"],
    [there, "2 hours"],
  ])
    await sql`insert into auth.verification (id, identifier, value, expires_at) values (${id}, ${id}, 'x', now() + ${when}::interval)`;
  const controller = createScheduledController({ cron: "17 * * * *", scheduledTime: Date.now() });
  await worker.scheduled(controller, env as never);
  await vi.waitFor(
    async () => {
      expect(await sql`select id from auth.verification where id in (${gone}, ${there})`).toEqual([{ id: there }]);
    },
    { timeout: 10_000, interval: 100 },
  );
  await vi.waitFor(() => expect(said.join()).toMatch(/Maintenance: removed \d+ expired rows/));
});

test("wrong settings fail a message, not its queue, and keep no dead letter from the log", async () => {
  const said = lines("error");
  const broken = { MAINTENANCE: { send: async () => {} } } as never;
  const [alive, dead] = [QUEUE, DEAD].map((queue) => createMessageBatch(queue, messages({ job: "sweep-expired" })));
  if (!alive || !dead) throw new Error("two batches were made");
  await worker.queue(alive, broken);
  await worker.queue(dead, broken);
  expect((await getQueueResult(alive, createExecutionContext())).retryMessages).toHaveLength(1);
  expect((await getQueueResult(dead, createExecutionContext())).explicitAcks).toEqual(["m0"]);
  expect(said).toHaveLength(2);
});
