import { expect, test } from "vitest";
import { Provider } from "../../../shared/contract/provider.ts";
import { memoryEdge, problemIn } from "../../testing/memory-edge.ts";

type Edge = ReturnType<typeof memoryEdge>;

const save = (edge: Edge, as = "alice") =>
  edge.ask("/api/providers", {
    method: "POST",
    body: { kind: "anthropic", displayName: "Mine", credential: { apiKey: "sk-12345678" } },
    as,
  });

/** Until it is refused; how often that was. */
async function untilRefused(ask: () => Promise<Response>): Promise<Response> {
  for (let times = 0; times < 200; times += 1) {
    const answer = await ask();
    if (answer.status === 429) return answer;
    expect(answer.status).toBeLessThan(300);
  }
  throw new Error("It was never refused.");
}

test("nobody has vendors called as often as they like, and another person is not held up by it", async () => {
  const edge = memoryEdge();
  const { id } = Provider.parse(await (await save(edge)).json());
  const path = `/api/providers/${id}`;
  const refused = await untilRefused(() => edge.ask(`${path}/test`, { method: "POST" }));
  expect(refused.headers.get("retry-after")).toBe("60");
  expect(await problemIn(refused)).toMatchObject({ code: "rate_limited", retryable: true });
  expect((await save(edge)).status).toBe(429);
  expect((await edge.ask(path, { method: "PATCH", body: { displayName: "Other" } })).status).toBe(429);
  expect((await edge.ask("/api/providers/openrouter/login", { method: "POST", body: {} })).status).toBe(429);
  expect((await edge.ask(path)).status).toBe(200);
  expect((await save(edge, "bob")).status).toBe(201);
});

test("models are not refreshed as often as one likes", async () => {
  const edge = memoryEdge();
  const refresh = (as: string) => edge.ask("/api/models/refresh", { method: "POST", as });
  expect((await untilRefused(() => refresh("alice"))).headers.get("retry-after")).toBe("60");
  expect((await refresh("bob")).status).toBe(200);
});
