import { describe, expect, it } from "vitest";
import type { ProviderLogin } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import type { ProviderLogins } from "../../../shared/ports/provider-logins.ts";
import { memoryEdge } from "../../testing/memory-edge.ts";
import { PEOPLE, PUBLIC_URL } from "../../testing/memory-services.ts";

const unused = (): never => {
  throw new Error("the page asks for nothing else");
};

const login = (more: Partial<ProviderLogin> = {}): ProviderLogin => ({
  loginId: "00000000-0000-7000-8000-0000000000aa",
  kind: "openrouter",
  method: "redirect",
  state: "complete",
  providerId: null,
  expiresAt: "2026-11-21T12:00:00.000Z",
  ...more,
});

/** Alice has begun a login; what it becomes is `answer`. */
function edgeWith(answer: () => ProviderLogin | null) {
  const asked: { userId: string; kind: string; url: string }[] = [];
  const logins: ProviderLogins = {
    kinds: () => [],
    start: unused,
    find: unused,
    finish: unused,
    revoke: unused,
    fresh: unused,
    async finishByState({ userId }, kind, url) {
      asked.push({ userId, kind, url });
      return userId === PEOPLE.alice.id ? answer() : null;
    },
  };
  const { ask } = memoryEdge({ logins });
  const open = async (as: string | null, path = "/api/providers/openrouter/callback?code=c&state=s") => {
    const headers = as === null ? {} : { cookie: `session=${as}` };
    const response = await ask(path, { as: null, headers: { ...headers, "sec-fetch-site": "cross-site" } });
    return { response, text: await response.text() };
  };
  return { open, asked };
}

describe("the page that a vendor sends the browser back to", () => {
  it("ends the login of whoever is signed in there, at the address that the vendor was told", async () => {
    const { open, asked } = edgeWith(() => login());
    const { response, text } = await open("alice");
    expect(response.status).toBe(200);
    expect(text).toContain("You can close this window and go back to Mosaic.");
    expect(text).toContain('href="/settings/providers"');
    const url = `${PUBLIC_URL}/api/providers/openrouter/callback?code=c&state=s`;
    expect(asked).toEqual([{ userId: PEOPLE.alice.id, kind: "openrouter", url }]);
  });

  it("ends nothing for anybody else, and warns who was sent there by somebody", async () => {
    const { open, asked } = edgeWith(() => login());
    for (const other of [null, "bob", "expired"]) {
      const { response, text } = await open(other);
      expect(response.status).toBe(200);
      expect(text).toContain("copy the whole address of this page");
      expect(text).toContain("Give the address to nobody");
      expect(text).not.toContain("close this window and go back");
    }
    expect(asked.map(({ userId }) => userId)).toEqual([PEOPLE.bob.id]);
  });

  it("shows a vendor's words as words", async () => {
    const error = "Z.ai refused this login (<script>alert(1)</script> & \"'); log in again.";
    const { open } = edgeWith(() => login({ state: "failed", error }));
    const { text } = await open("alice");
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#39;);");
    expect(text).not.toContain("<script");
  });

  it("says what to do when it did not end", async () => {
    const pending = await edgeWith(() => login({ state: "pending" })).open("alice");
    expect(pending.text).toContain("Reload this page");
    const away = await edgeWith(() => {
      throw new AppError("provider_unavailable", "OpenRouter's login cannot be reached; try again in a moment.");
    }).open("alice");
    expect(away.response.status).toBe(503);
    expect(away.text).toContain("OpenRouter&#39;s login cannot be reached");
    const junk = await edgeWith(() => {
      throw new AppError("invalid_request", "Paste the whole address.");
    }).open("alice");
    expect(junk.response.status).toBe(400);
  });

  it("runs no script, loads nothing, is framed by nobody, and passes its address on to nobody", async () => {
    const { open } = edgeWith(() => login());
    const { response, text } = await open("alice");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-anc/,
    );
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(text).not.toMatch(/<script|\son\w+=|https?:\/\/|code=c|state=s/);
    const style = /<style>([^<]*)<\/style>/.exec(text)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    expect(policy).toContain(btoa(String.fromCharCode(...new Uint8Array(digest))));
  });

  it("is there for vendors that exist", async () => {
    const { open, asked } = edgeWith(() => login());
    expect((await open("alice", "/api/providers/guide/callback?code=c&state=s")).response.status).toBe(404);
    expect((await open("alice", "/api/providers/%3Cb%3E/callback?code=c&state=s")).response.status).toBe(404);
    expect(asked).toEqual([]);
  });
});
