import { createMiddleware } from "hono/factory";
import { AppError } from "../../shared/domain/app-error.ts";
import type { Edge } from "../edge.ts";

/** Bytes read and dropped after the limit, so that a client that is still sending gets to read the answer. */
const DRAIN_BYTES = 16 * 1024 * 1024;

type Body = ReadableStream<Uint8Array>;

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let left = DRAIN_BYTES;
  while (left > 0) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.byteLength;
  }
  await reader.cancel();
}

async function readAtMost(body: Body, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      await drain(reader);
      return null;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Refuses bodies over the limit of their endpoint before anything parses them, whether their length was declared or not. */
export const bodyLimit = (limitOf: (method: string, path: string) => number) =>
  createMiddleware<Edge>(async (c, next) => {
    const maxBytes = limitOf(c.req.method, c.req.path);
    const { body, headers } = c.req.raw;
    if (body === null) return await next();
    const tooLarge = new AppError(
      "too_large",
      `A request body here is at most ${maxBytes / 1024 / 1024} MiB; send less.`,
    );
    const declared = headers.get("content-length");
    if (declared !== null && !headers.has("transfer-encoding")) {
      if (Number(declared) <= maxBytes) return await next();
      await drain(body.getReader());
      throw tooLarge;
    }
    const bytes = await readAtMost(body, maxBytes);
    if (bytes === null) throw tooLarge;
    c.req.raw = new Request(c.req.raw, { body: bytes });
    await next();
  });
