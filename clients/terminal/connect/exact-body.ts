import type { HeaderBlock } from "../../../shared/contract/connector-frames.ts";

const LENGTH = /^\d{1,15}$/;

/**
 * The length that a request says its body has, where it says so once and plainly; null where the body goes out in
 * chunks. What stood behind a body of another length would be read as a request of its own, past the list of paths.
 */
export function saidLength(headers: HeaderBlock): number | null {
  const said = headers.filter(([name]) => name === "content-length");
  const [first, ...more] = said.map(([, value]) => value);
  return first !== undefined && more.length === 0 && LENGTH.test(first) ? Number(first) : null;
}

/** The same bytes, exactly as many as were said. @throws Error before a byte too many, and at an end that is too early */
export async function* exactBody(body: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of body) {
    left -= chunk.byteLength;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new WrongLength();
}

export class WrongLength extends Error {
  constructor() {
    super("The body of the request is not as long as its headers say.");
  }
}
