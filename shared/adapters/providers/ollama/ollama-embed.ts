/** `POST /api/embed`: many texts at once, vectors in their order. */
import * as z from "zod";
import type { ModelProvider } from "../../../ports/model-provider.ts";
import { type Access, bearerHeaders } from "../access.ts";
import { fetchJson } from "../fetch-json.ts";

const Embedded = z.object({ embeddings: z.array(z.array(z.number())) });

export const ollamaEmbed =
  (access: Access): NonNullable<ModelProvider["embed"]> =>
  async (model, texts, signal) => {
    // A text longer than the model reads is cut there rather than refused.
    const body = { model, input: texts, truncate: true };
    const call = { access, sign: bearerHeaders, signal, model };
    return (await fetchJson({ ...call, path: "/api/embed", body, schema: Embedded })).embeddings;
  };
