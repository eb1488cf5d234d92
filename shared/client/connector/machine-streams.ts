/**
 * The machine's end of the connector: takes the streams that the stack opens, lets `serve` answer them, and sends the
 * answers back in turns. Knows no socket and no HTTP: both come from outside.
 */
import { FairSender, Inlet } from "../../contract/connector-flow.ts";
import {
  decodeData,
  decodeStackFrame,
  encodeData,
  type HeaderBlock,
  MAX_STREAMS,
  type MachineFrame,
  type StackFrame,
} from "../../contract/connector-frames.ts";

export interface MachineRequest {
  upstream: string;
  method: string;
  path: string;
  headers: HeaderBlock;
  body: AsyncIterable<Uint8Array> | null;
  /** Nobody waits for the answer any more. */
  signal: AbortSignal;
}

export interface MachineAnswer {
  status: number;
  headers: HeaderBlock;
  body: AsyncIterable<Uint8Array>;
}

interface Deps {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Whether the socket has enough to send; `pump` is called when it has not any more. */
  isBusy(): boolean;
  /** Answers problems of its own as well. What it throws breaks the stream off. */
  serve(request: MachineRequest): Promise<MachineAnswer>;
  welcomed(welcome: Extract<StackFrame, { type: "welcome" }>): void;
}

interface Stream {
  inlet: Inlet;
  abort: AbortController;
}

type OpenFrame = Extract<StackFrame, { type: "open" }>;

export class MachineStreams {
  readonly #deps: Deps;
  readonly #streams = new Map<number, Stream>();
  readonly #sender: FairSender;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#sender = new FairSender({
      data: (stream, bytes) => deps.send(encodeData(stream, bytes)),
      end: (stream) => {
        this.#streams.delete(stream);
        this.#tell({ type: "end", stream });
      },
      isBusy: () => deps.isBusy(),
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Takes one frame. @returns why the connection must end, or null */
  receive(frame: string | Uint8Array): string | null {
    if (typeof frame !== "string") return this.#data(frame);
    const decoded = decodeStackFrame(frame);
    if (decoded === null) return null;
    return decoded.ok ? this.#control(decoded.frame) : decoded.reason;
  }

  /** The socket can take more. */
  pump(): void {
    this.#sender.pump();
  }

  /** The connection is gone: what is under way is given up. */
  end(): void {
    for (const stream of [...this.#streams.keys()]) this.#giveUp(stream);
  }

  #control(frame: StackFrame): string | null {
    switch (frame.type) {
      case "welcome":
        // The stack may have forgotten what it had opened.
        this.end();
        this.#deps.welcomed(frame);
        return null;
      case "open":
        return this.#open(frame);
      case "end":
        this.#streams.get(frame.stream)?.inlet.end();
        return null;
      case "reset":
        this.#giveUp(frame.stream);
        return null;
      case "credit":
        return this.#sender.credit(frame.stream, frame.bytes) ? null : "too much credit was given";
    }
  }

  #data(bytes: Uint8Array): string | null {
    const decoded = decodeData(bytes);
    if (!decoded.ok) return decoded.reason;
    const stream = this.#streams.get(decoded.frame.stream);
    return !stream || stream.inlet.push(decoded.frame.bytes) ? null : "more data came than was asked for";
  }

  #open({ stream, upstream, method, path, headers, hasBody }: OpenFrame): string | null {
    if (this.#streams.has(stream)) return "a stream was opened twice";
    // Not answered: a stack that does not read would have answers pile up here.
    if (this.#streams.size >= MAX_STREAMS) return "more streams were opened than agreed";
    const inlet = new Inlet((bytes) => {
      if (this.#streams.has(stream)) this.#tell({ type: "credit", stream, bytes });
    });
    if (!hasBody) inlet.end();
    const abort = new AbortController();
    const kept: Stream = { inlet, abort };
    this.#streams.set(stream, kept);
    this.#sender.open(stream);
    const body = hasBody ? inlet : null;
    void this.#answer(stream, kept, { upstream, method, path, headers, body, signal: abort.signal });
    return null;
  }

  async #answer(stream: number, kept: Stream, request: MachineRequest): Promise<void> {
    const isOpen = (): boolean => this.#streams.get(stream) === kept;
    try {
      const { status, headers, body } = await this.#deps.serve(request);
      if (isOpen()) this.#tell({ type: "headers", stream, status, headers });
      for await (const chunk of body) {
        // Left early, the body's own clean-up ends the request behind it.
        if (!isOpen()) return;
        await this.#sender.push(stream, chunk);
      }
      if (isOpen()) this.#sender.finish(stream);
    } catch (error) {
      if (!isOpen()) return;
      this.#giveUp(stream);
      const message = error instanceof Error ? error.message.slice(0, 500) : "The machine gave up.";
      this.#tell({ type: "reset", stream, message });
    }
  }

  #giveUp(stream: number): void {
    const kept = this.#streams.get(stream);
    if (!kept) return;
    this.#streams.delete(stream);
    this.#sender.drop(stream);
    kept.inlet.fail(new Error("Nobody waits for this answer any more."));
    kept.abort.abort();
  }

  #tell(frame: MachineFrame): void {
    this.#deps.send(JSON.stringify(frame));
  }
}
