/**
 * The one socket of a machine that said hello, as long as this object is awake: opens a stream per request, and hands
 * what comes back to it. A machine that breaks the protocol is told so by the reason that `receive` answers.
 */
import { FairSender } from "../../shared/contract/connector-flow.ts";
import {
  decodeData,
  encodeData,
  type HeaderBlock,
  headerBytes,
  MAX_HEADER_BYTES,
  MAX_STREAMS,
  type MachineFrame,
  SILENT_AFTER_MS,
  type StackFrame,
} from "../../shared/contract/connector-frames.ts";
import { FORWARDED_HEADERS } from "../../shared/ports/connector-gateway.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import { answer } from "./answers.ts";
import { Exchange } from "./exchange.ts";

/** A model may be loaded from a slow disk first; whoever asks has a shorter patience of their own. */
const HEADERS_WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 5_000;
const UNOPENED = "a stream was spoken of that was never opened";

interface Deps {
  socket: Pick<WebSocket, "send">;
  /** Of the machine, for sentences. */
  name: string;
  timers: Pick<Timers, "after">;
  now(): number;
  /** When the machine was last heard of, pings included. */
  heardAt(): number;
  /** It was silent for too long while somebody waits. */
  onSilent(): void;
  /** The first that was never opened on this socket. */
  nextStream: number;
  onOpen(nextStream: number): void;
}

export class Line {
  readonly #deps: Deps;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #sender: FairSender;
  /** The streams of requests that may still be cancelled by name. */
  readonly #byRequest = new Map<string, number>();
  #nextStream: number;
  #look: ReturnType<Timers["after"]> | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#nextStream = deps.nextStream;
    this.#sender = new FairSender({
      data: (stream, bytes) => this.#write(encodeData(stream, bytes)),
      end: (stream) => this.#tell({ type: "end", stream }),
      isBusy: () => false, // each body waits for the machine's credit
    });
  }

  async ask(upstream: string, request: Request, requestId: string): Promise<Response> {
    if (this.#exchanges.size >= MAX_STREAMS) {
      return answer("rate_limited", `The machine "${this.#deps.name}" has ${MAX_STREAMS} requests open; try again.`);
    }
    const headers: HeaderBlock = FORWARDED_HEADERS.flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    if (headerBytes(headers) > MAX_HEADER_BYTES) return answer("too_large", "The headers are longer than 64 KiB.");
    const stream = this.#takeStream();
    const { pathname, search } = new URL(request.url);
    const { method, body } = request;
    const exchange = this.#begin(stream);
    this.#byRequest.set(requestId, stream);
    const late = this.#deps.timers.after(HEADERS_WITHIN_MS, () => {
      this.#reset(stream, "The answer did not begin in time.");
      this.#fail(stream, exchange, "provider_timeout", `The machine "${this.#deps.name}" did not answer in time.`);
    });
    const hasBody = body !== null;
    if (hasBody) this.#sender.open(stream);
    this.#tell({ type: "open", stream, upstream, method, path: `${pathname}${search}`, headers, hasBody });
    if (body) void this.#upload(stream, body);
    try {
      return await exchange.response;
    } finally {
      late.cancel();
      this.#byRequest.delete(requestId);
    }
  }

  cancel(requestId: string): void {
    const stream = this.#byRequest.get(requestId);
    if (stream !== undefined) this.#cancel(stream);
  }

  /** @returns why the machine's connection must end, or null */
  frame(frame: MachineFrame): string | null {
    if (frame.type !== "hello" && this.#isUnopened(frame.stream)) return UNOPENED;
    switch (frame.type) {
      case "hello":
        return "`hello` came twice";
      case "credit":
        return this.#sender.credit(frame.stream, frame.bytes) ? null : "too much credit was given";
      case "headers": {
        const exchange = this.#exchanges.get(frame.stream);
        if (!exchange) return null;
        if (!exchange.begin(frame.status, frame.headers)) return "`headers` came twice";
        return null;
      }
      case "end": {
        const exchange = this.#exchanges.get(frame.stream);
        if (!exchange) return null;
        if (!exchange.hasHeaders) return "`end` came before `headers`";
        this.#drop(frame.stream);
        exchange.end();
        return null;
      }
      case "reset": {
        const exchange = this.#exchanges.get(frame.stream);
        if (exchange) this.#fail(frame.stream, exchange, "provider_failed", oneLine(frame.message));
        return null;
      }
    }
  }

  /** The same for a binary frame. */
  data(bytes: Uint8Array): string | null {
    const decoded = decodeData(bytes);
    if (!decoded.ok) return decoded.reason;
    const { stream, bytes: sent } = decoded.frame;
    if (this.#isUnopened(stream)) return UNOPENED;
    const exchange = this.#exchanges.get(stream);
    if (!exchange) return null;
    return exchange.data(sent) ? null : "more data came than was asked for";
  }

  /** The connection is gone: everyone who waits hears so at once, by this answer where theirs had not begun. */
  fail(early: () => Response): void {
    for (const [stream, exchange] of [...this.#exchanges]) {
      this.#drop(stream);
      exchange.fail(new Error("The connection to the machine ended."), early);
    }
  }

  #begin(stream: number): Exchange {
    const exchange = new Exchange({
      grant: (bytes) => this.#tell({ type: "credit", stream, bytes }),
      onCancel: () => this.#cancel(stream),
    });
    this.#exchanges.set(stream, exchange);
    this.#look ??= this.#deps.timers.after(LOOK_EVERY_MS, () => this.#listen());
    return exchange;
  }

  /**
   * What still comes of a stream that is over is not answered: the machine was told once, and an answer to each frame
   * would pile up here for one that does not read. Of a stream that never was nothing can come.
   */
  #isUnopened(stream: number): boolean {
    return stream >= this.#nextStream && !this.#exchanges.has(stream);
  }

  async #upload(stream: number, body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        await this.#sender.push(stream, next.value);
        if (!this.#exchanges.has(stream)) {
          await reader.cancel();
          return;
        }
      }
      this.#sender.finish(stream);
    } catch {
      // Whoever asked is gone in the middle of their question.
      this.#cancel(stream);
    }
  }

  #cancel(stream: number): void {
    const exchange = this.#exchanges.get(stream);
    if (!exchange) return;
    this.#reset(stream, "Nobody waits for this answer any more.");
    this.#fail(stream, exchange, "provider_failed", "The request was cancelled.");
  }

  #fail(stream: number, exchange: Exchange, code: Parameters<typeof answer>[0], sentence: string): void {
    this.#drop(stream);
    exchange.fail(new Error(sentence), () => answer(code, sentence, { machine: this.#deps.name }));
  }

  #drop(stream: number): void {
    this.#exchanges.delete(stream);
    this.#sender.drop(stream);
  }

  /** While somebody waits the object is awake anyway, and may look at the clock; idle it sleeps. */
  #listen(): void {
    this.#look = null;
    if (this.#exchanges.size === 0) return;
    if (this.#deps.now() - this.#deps.heardAt() > SILENT_AFTER_MS) {
      this.#deps.onSilent();
      return;
    }
    this.#look = this.#deps.timers.after(LOOK_EVERY_MS, () => this.#listen());
  }

  #takeStream(): number {
    const stream = this.#nextStream;
    this.#nextStream = stream === 0xffff_ffff ? 1 : stream + 1;
    this.#deps.onOpen(this.#nextStream);
    return stream;
  }

  #reset(stream: number, message: string): void {
    this.#tell({ type: "reset", stream, message });
  }

  #tell(frame: StackFrame): void {
    this.#write(JSON.stringify(frame));
  }

  #write(data: string | Uint8Array<ArrayBuffer>): void {
    try {
      this.#deps.socket.send(data);
    } catch {
      // It is closing; `fail` comes.
    }
  }
}

const oneLine = (text: string): string => text.replaceAll(/\p{C}+/gu, " ").trim() || "The machine gave up.";
