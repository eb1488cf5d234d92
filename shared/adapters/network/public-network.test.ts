import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListeningPost, startListeningPost } from "../../testing/network/listening-post.ts";

/** Fetches what it is told without any guard, through the network it is told. */
const WORKER = `export default {
  async fetch(request, env) {
    const { network, url } = await request.json();
    const send = network === "plain" ? fetch : env[network].fetch.bind(env[network]);
    try {
      const response = await send(url, { headers: { "x-api-key": "sk-live-9f8e7d6c5b4a" }, redirect: "manual" });
      return Response.json({ status: response.status });
    } catch (error) {
      return Response.json({ refused: String(error) });
    }
  }
}`;

describe("the network service for public addresses", () => {
  let post: ListeningPost;
  let workerd: Miniflare;
  beforeAll(async () => {
    post = await startListeningPost();
    workerd = new Miniflare(
      convertV4MiniflareOptions({
        modules: true,
        script: WORKER,
        compatibilityDate: "2026-10-01",
        // It notes each refusal, as it should.
        handleStructuredLogs: () => undefined,
        serviceBindings: {
          PUBLIC_NETWORK: { network: { allow: ["public"] } },
          PRIVATE_NETWORK: { network: { allow: ["public", "private"] } },
        },
      }),
    );
    await workerd.ready;
  });
  afterAll(async () => {
    await workerd.dispose();
    await post.close();
  });

  const send = async (network: string, url: string): Promise<unknown> => {
    const response = await workerd.dispatchFetch("http://worker/", {
      method: "POST",
      body: JSON.stringify({ network, url }),
    });
    return await response.json();
  };

  it("refuses names and numbers of this machine that got past every guard", async () => {
    for (const host of ["localhost", "127.0.0.1", "[::1]", "2130706433", "0.0.0.0", "127.1"]) {
      expect(await send("PUBLIC_NETWORK", `http://${host}:${post.port}/`)).toHaveProperty("refused");
    }
    expect([post.connections(), post.heard()]).toEqual([0, ""]);
  });

  it("is needed: the private one reaches the same name", async () => {
    expect(await send("PRIVATE_NETWORK", `http://localhost:${post.port}/`)).toEqual({ status: 418 });
    expect(post.connections()).toBe(1);
  });
});
