/**
 * What both ends of a connector do with the bodies of their streams: an `Inlet` holds what came until it is read and
 * gives credit for it; the `FairSender` sends what each stream may, in turns, so that a large body delays no other.
 */
import { CHUNK_BYTES, MAX_WINDOW_BYTES, WINDOW_BYTES } from "./connector-frames.ts";

/** Credit goes back in pieces of this size: a frame for every token would cost more than the tokens. */
const GRANT_BYTES = WINDOW_BYTES / 4;

interface Waiting {
  resolve(chunk: Uint8Array | null): void;
  reject(reason: Error): void;
}

/** One body on its way in. Read by one reader, one chunk at a time. */
export class Inlet {
  readonly #grant: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  #window = WINDOW_BYTES;
  #consumed = 0;
  #waiting: Waiting | null = null;
  #over: { error: Error | null } | null = null;

  /** `grant` tells the other end how much more it may send. */
  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** @returns false for more than there was credit for: the other end does not keep to the protocol */
  push(bytes: Uint8Array): boolean {
    if (bytes.byteLength > this.#window) return false;
    if (this.#over || bytes.byteLength === 0) return true;
    this.#window -= bytes.byteLength;
    this.#chunks.push(bytes);
    this.#serve();
    return true;
  }

  /** No more comes after what is here. */
  end(): void {
    this.#over ??= { error: null };
    this.#serve();
  }

  /** What came is still read; then the error. */
  fail(error: Error): void {
    this.#over ??= { error };
    this.#serve();
  }

  /** The next bytes; null at the end. Rejects with what `fail` was given. */
  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.read(); chunk; chunk = await this.read()) yield chunk;
  }

  #serve(): void {
    const waiting = this.#waiting;
    const chunk = waiting && this.#chunks.shift();
    if (!waiting || !(chunk || this.#over)) return;
    this.#waiting = null;
    if (chunk) {
      this.#give(chunk.byteLength);
      waiting.resolve(chunk);
    } else if (this.#over?.error) waiting.reject(this.#over.error);
    else waiting.resolve(null);
  }

  #give(bytes: number): void {
    this.#consumed += bytes;
    if (this.#over || this.#consumed < GRANT_BYTES) return;
    this.#window += this.#consumed;
    this.#grant(this.#consumed);
    this.#consumed = 0;
  }
}

interface Outgoing {
  chunks: Uint8Array[];
  credit: number;
  isFinished: boolean;
  /** Called once the queue is empty, or the stream is gone. */
  onRoom: (() => void)[];
}

interface SenderDeps {
  data(stream: number, bytes: Uint8Array): void;
  end(stream: number): void;
  /** Whether the socket has enough to do; `pump` is called when it has not any more. */
  isBusy(): boolean;
}

/** All bodies on their way out over one socket. */
export class FairSender {
  readonly #deps: SenderDeps;
  /** In the order of their turns. */
  readonly #streams = new Map<number, Outgoing>();

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  open(stream: number): void {
    this.#streams.set(stream, { chunks: [], credit: WINDOW_BYTES, isFinished: false, onRoom: [] });
  }

  /** Fulfils when there is room for more; for a stream that is gone at once. */
  async push(stream: number, bytes: Uint8Array): Promise<void> {
    const outgoing = this.#streams.get(stream);
    if (!outgoing) return;
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
      outgoing.chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
    }
    this.pump();
    if (outgoing.chunks.length === 0 || !this.#streams.has(stream)) return;
    await new Promise<void>((resolve) => outgoing.onRoom.push(resolve));
  }

  /** The body is over once what was pushed is sent. */
  finish(stream: number): void {
    const outgoing = this.#streams.get(stream);
    if (outgoing) outgoing.isFinished = true;
    this.pump();
  }

  /** @returns false for more credit than anybody may give */
  credit(stream: number, bytes: number): boolean {
    const outgoing = this.#streams.get(stream);
    if (!outgoing) return true;
    outgoing.credit += bytes;
    if (outgoing.credit > MAX_WINDOW_BYTES) return false;
    this.pump();
    return true;
  }

  /** What was not sent of it never is. */
  drop(stream: number): void {
    const outgoing = this.#streams.get(stream);
    this.#streams.delete(stream);
    for (const goOn of outgoing?.onRoom ?? []) goOn();
  }

  /** Sends what may be sent, one frame of each stream in turn. */
  pump(): void {
    while (!this.#deps.isBusy()) {
      const next = this.#next();
      if (!next) return;
      this.#send(...next);
    }
  }

  #next(): [number, Outgoing] | null {
    for (const [stream, outgoing] of this.#streams) {
      const [chunk] = outgoing.chunks;
      if (chunk ? outgoing.credit > 0 : outgoing.isFinished) return [stream, outgoing];
    }
    return null;
  }

  #send(stream: number, outgoing: Outgoing): void {
    const chunk = outgoing.chunks.shift();
    this.#streams.delete(stream);
    if (!chunk) {
      this.#deps.end(stream);
      return;
    }
    // To the end of the line: the others come first now.
    this.#streams.set(stream, outgoing);
    const part = chunk.subarray(0, outgoing.credit);
    if (part.byteLength < chunk.byteLength) outgoing.chunks.unshift(chunk.subarray(part.byteLength));
    outgoing.credit -= part.byteLength;
    this.#deps.data(stream, part);
    if (outgoing.chunks.length > 0) return;
    for (const goOn of outgoing.onRoom.splice(0)) goOn();
  }
}
