import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { root } from "./build-inputs.ts";
import { makeMissingQueues, queuesOf } from "./cloudflare-queues.ts";

/** Stands for Cloudflare's API: knows queues by name and makes new ones. */
const queues = new Set<string>();
const made: string[] = [];
let refuses = false;
const api = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const url = new URL(request.url ?? "", "http://api");
  const answer = (status: number, result: unknown): void => {
    const errors = status < 400 ? [] : [{ code: 10_000, message: "Authentication error" }];
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ success: status < 400, errors, messages: [], result }));
  };
  if (refuses) return answer(403, null);
  if (!url.pathname.endsWith("/queues")) return answer(200, []);
  if (request.method === "POST") {
    const { queue_name: name } = JSON.parse(Buffer.concat(chunks).toString());
    queues.add(name);
    made.push(name);
    return answer(200, queue(name));
  }
  const asked = url.searchParams.getAll("name");
  answer(200, [...queues].filter((name) => asked.length === 0 || asked.includes(name)).map(queue));
});
const queue = (name: string) => ({
  queue_id: name,
  queue_name: name,
  created_on: "",
  modified_on: "",
  producers: [],
  producers_total_count: 0,
  consumers: [],
  consumers_total_count: 0,
});

let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  const address = api.address();
  const port = typeof address === "object" ? address?.port : 0;
  env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
    CLOUDFLARE_API_TOKEN: "token",
    CLOUDFLARE_ACCOUNT_ID: "account",
    WRANGLER_LOG_PATH: join(root, ".cache", "wrangler-logs"),
  };
});
afterAll(() => void api.close());
beforeEach(() => {
  queues.clear();
  made.length = 0;
  refuses = false;
});

test("knows each queue of wrangler.toml, the dead letters' too", () => {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  expect(queuesOf(workerOptions)).toEqual(["mosaic-maintenance", "mosaic-maintenance-dead"]);
  const dead = { queueConsumers: { a: { deadLetterQueue: "b" } }, queueProducers: { A: { queueName: "a" } } };
  expect(queuesOf(dead)).toEqual(["a", "b"]);
  expect(queuesOf({})).toEqual([]);
});

test("makes the queues that are missing and no other", { timeout: 60_000 }, async () => {
  queues.add("there");
  await makeMissingQueues(["there", "missing"], env);
  expect(made).toEqual(["missing"]);
});

test("says what to do when the token may not", { timeout: 60_000 }, async () => {
  refuses = true;
  await expect(makeMissingQueues(["any"], env)).rejects.toThrow("the right to edit Queues");
  expect(made).toEqual([]);
});
