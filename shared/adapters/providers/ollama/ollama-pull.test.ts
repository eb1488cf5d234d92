import { describe, expect, it } from "vitest";
import { ProviderError, type PullProgress } from "../../../ports/model-provider.ts";
import { openAt } from "../../../testing/providers/open-at.ts";
import { startRawServer, writeSlowly } from "../../../testing/providers/raw-server.ts";

async function pull(lines: unknown[], status = 200, signal = new AbortController().signal) {
  const server = await startRawServer();
  server.answer((response) => {
    response.writeHead(status, { "content-type": status === 200 ? "application/x-ndjson" : "application/json" });
    writeSlowly(
      response,
      lines.map((line) => `${JSON.stringify(line)}\n`),
    ).then(
      () => response.end(),
      () => response.destroy(),
    );
  });
  const progress: PullProgress[] = [];
  let failure: unknown;
  try {
    for await (const step of openAt("ollama", server.url, null).pull?.("qwen3:8b", signal) ?? []) progress.push(step);
  } catch (thrown) {
    failure = thrown instanceof ProviderError ? thrown.failure : thrown;
  }
  await server.close();
  return { progress, failure, request: server.requests[0] };
}

describe("fetching a model to an Ollama", () => {
  it("tells how far it is, line by line, until it has succeeded", async () => {
    const { progress, failure, request } = await pull([
      { status: "pulling manifest" },
      { status: "pulling 6a0746a1ec1a", digest: "sha256:6a", total: 4_661_211_808 },
      { status: "pulling 6a0746a1ec1a", digest: "sha256:6a", total: 4_661_211_808, completed: 241_970 },
      { status: "success" },
    ]);
    expect(failure).toBeUndefined();
    expect(request).toMatchObject({ path: "/api/pull", body: { model: "qwen3:8b", stream: true } });
    expect(progress).toEqual([
      { status: "pulling manifest", completedBytes: null, totalBytes: null },
      { status: "pulling 6a0746a1ec1a", completedBytes: null, totalBytes: 4_661_211_808 },
      { status: "pulling 6a0746a1ec1a", completedBytes: 241_970, totalBytes: 4_661_211_808 },
      { status: "success", completedBytes: null, totalBytes: null },
    ]);
  });

  it("fails in one sentence where the model does not exist, the stream breaks, or it is stopped", async () => {
    const missing = await pull([{ status: "pulling manifest" }, { error: "pull model manifest: file does not exist" }]);
    expect(missing.failure).toMatchObject({ kind: "not_found" });
    expect((await pull([{ status: "pulling manifest" }])).failure).toMatchObject({ kind: "stream_cut" });
    expect((await pull([{ error: "no" }], 500)).failure).toMatchObject({ kind: "server_error", status: 500 });
    expect((await pull([], 200, AbortSignal.abort())).failure).toMatchObject({ kind: "aborted" });
  });
});
