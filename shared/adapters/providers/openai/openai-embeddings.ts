/** `POST /embeddings` as OpenAI has it; read with an eye on the order, which some servers do not keep. */
import * as z from "zod";
import type { ModelProvider } from "../../../ports/model-provider.ts";
import type { Access, OpenedSecret } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";

const Embeddings = z.object({
  data: z.array(z.object({ index: z.int().nonnegative().optional().catch(undefined), embedding: z.array(z.number()) })),
});

export const embedOverOpenAi =
  (access: Access, sign: (secret: OpenedSecret) => Record<string, string>): NonNullable<ModelProvider["embed"]> =>
  async (model, texts, signal) => {
    const body = { model, input: texts, encoding_format: "float" };
    const { data } = await fetchJson({ access, path: "/embeddings", sign, body, schema: Embeddings, signal, model });
    return data
      .map(({ index, embedding }, position) => ({ at: index ?? position, embedding }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ embedding }) => embedding);
  };
