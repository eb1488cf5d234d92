import * as z from "zod";

const MAX_BYTES = 4096;

/**
 * A model of the registry that the model server itself knows: `model`, `model:tag` or `owner/model:tag`. A name with a
 * host would make it fetch from wherever the stack says, also from this machine's own network.
 */
const PLAIN_NAME = /^(?:[a-z0-9][\w-]{0,79}\/)?[a-z0-9][\w.-]{0,79}(?::\w[\w.-]{0,79})?$/i;

/** Strict: the model server knows more fields, such as another name for `model`, and one that allows plain HTTP. */
const Pull = z.strictObject({ model: z.string().regex(PLAIN_NAME), stream: z.boolean().optional() });

/** @returns the body to send in the place of the one that came; null for what may not be asked */
export async function plainPull(body: AsyncIterable<Uint8Array> | null): Promise<Uint8Array | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  try {
    // Written anew: a field that came twice is read there as it was read here.
    return new TextEncoder().encode(JSON.stringify(Pull.parse(JSON.parse(text))));
  } catch {
    return null;
  }
}
