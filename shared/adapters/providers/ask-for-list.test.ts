import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { afterNews, breakerOf, newHealth } from "../../domain/providers/breaker.ts";
import { openAt } from "../../testing/providers/open-at.ts";
import { type RawServer, startRawServer } from "../../testing/providers/raw-server.ts";
import { askForList } from "./ask-for-list.ts";

const AT = Date.parse("2026-11-21T12:00:00Z");
const RIGHT = "sk-right-0123456789";
const now = (): Date => new Date(AT);

/** A vendor that shows its list to everybody, and everything else to whoever has the right key. */
let server: RawServer;
/** Paths that are not there. */
let missing: string[] = [];

beforeAll(async () => {
  server = await startRawServer();
  server.answer((response, { url = "", headers }) => {
    const isOpen = url.endsWith("/models");
    const status = missing.some((path) => url.endsWith(path))
      ? 404
      : isOpen || headers.authorization === `Bearer ${RIGHT}`
        ? 200
        : 401;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(status === 200 ? { data: isOpen ? [{ id: "a/one" }] : {} } : { error: "no" }));
  });
});
afterAll(() => server.close());

const ask = (kind: "openrouter" | "openai-compatible", key: string | null) =>
  askForList("Work", openAt(kind, server.url, key), now);

describe("asking a vendor whose list is open to everybody", () => {
  it("finds a wrong key at OpenRouter, by the question that is there for it", async () => {
    expect(await ask("openrouter", RIGHT)).toMatchObject({ outcome: { ok: true }, models: [{ id: "a/one" }] });
    expect(await ask("openrouter", RIGHT)).not.toHaveProperty("outcome.isKeyUnproven");
    expect(await ask("openrouter", "sk-wrong-0123456789")).toMatchObject({
      outcome: { ok: false, kind: "unauthenticated" },
    });
  });

  it("says that the key is not proven where that question is not there, and where nobody knows one", async () => {
    missing = ["/key"];
    expect(await ask("openrouter", "sk-wrong-0123456789")).toMatchObject({
      outcome: { ok: true, isKeyUnproven: true },
    });
    missing = [];
    expect(await ask("openai-compatible", RIGHT)).toMatchObject({ outcome: { ok: true, isKeyUnproven: true } });
  });

  it("does not take back that answers were refused", async () => {
    const refused = { ok: false as const, kind: "unauthenticated" as const, error: "Wrong key." };
    const before = afterNews(newHealth(AT), 1, { from: "traffic", outcome: refused }, AT);
    const { outcome } = await ask("openai-compatible", "sk-wrong-0123456789");
    const after = afterNews(before, 1, { from: "probe", outcome }, AT);
    expect([after.state, breakerOf(after, AT), after.lastError]).toEqual(["down", "open", "Wrong key."]);
  });
});
