/**
 * One request to a vendor under watch: its deadlines, our own abort, its status and content type. Whatever goes wrong
 * is noted once as a `ProviderFailure` before the SDK on top can wrap it into an error of its own.
 */
import {
  ProviderError,
  type ProviderErrorKind,
  type ProviderFailure,
  type StreamOptions,
} from "../../ports/model-provider.ts";
import { failureOfErrorText, failureOfResponse } from "./classify-failure.ts";
import { failureOf, type Vendor } from "./errors.ts";

export type Fetch = typeof fetch;

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A finished answer's last bytes are read this long, so that its connection can serve again. */
const DRAIN_MS = 50;
/** A line longer than this is no vendor's event; whoever reads it would keep all of it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

export interface Watch {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
  /** Runs what must happen before the request, such as opening its secret, under the same deadline and the same stop. */
  within<Value>(work: () => Promise<Value>): Promise<Value>;
  /** The first thing that went wrong. */
  failure(): ProviderFailure | undefined;
  /** Whether the body has been read to its end. */
  ended(): boolean;
  /** The answer is complete: what follows in the body is read and dropped. */
  settle(): void;
  /** Ends the request, unless it is settled; frees its timers and listeners. */
  close(): void;
}

export interface WatchSetup {
  vendor: Vendor;
  fetch: Fetch;
  model: string;
  options: StreamOptions;
  /** Content types of an answer; anything else in a 2xx is an error body or not the vendor. */
  accepts: readonly string[];
}

/** The first `MAX_ERROR_BODY_BYTES` of a body; empty when it cannot be read. */
async function readErrorText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; bytes < MAX_ERROR_BODY_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), DRAIN_MS);
  try {
    while (!(await reader.read()).done);
  } catch {
    // Nobody waits for these bytes.
  } finally {
    clearTimeout(timer);
  }
}

class RequestWatch implements Watch {
  readonly #setup: WatchSetup;
  readonly #controller = new AbortController();
  readonly #stopped: Promise<never>;
  readonly #onAbort = (): void => this.#fail("aborted");
  #failure: ProviderFailure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settled = false;
  #ended = false;

  constructor(setup: WatchSetup) {
    this.#setup = setup;
    this.#stopped = new Promise((_resolve, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason), { once: true });
    });
    this.#stopped.catch(() => undefined);
    if (setup.options.signal.aborted) this.#fail("aborted");
    else setup.options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  failure(): ProviderFailure | undefined {
    return this.#failure;
  }

  ended(): boolean {
    return this.#ended;
  }

  settle(): void {
    this.#settled = true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#setup.options.signal.removeEventListener("abort", this.#onAbort);
    if (!this.#settled) this.#controller.abort(new Error("The reader left."));
  }

  #fail(kind: ProviderErrorKind): void {
    this.#failWith(failureOf(kind, this.#setup.vendor, { model: this.#setup.model }));
  }

  #failWith(failure: ProviderFailure): ProviderError {
    this.#failure ??= failure;
    const error = new ProviderError(this.#failure);
    if (!this.signal.aborted) this.#controller.abort(error);
    return error;
  }

  async within<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#failure) throw new ProviderError(this.#failure);
    this.#arm();
    try {
      return await Promise.race([work(), this.#stopped]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#fail("timeout"), this.#setup.options.headersTimeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  readonly fetch: Fetch = async (input, init) => {
    const { fetch: send } = this.#setup;
    this.#arm();
    try {
      // A redirect would carry the key to wherever it points.
      const sent = send(input, { ...init, redirect: "manual", signal: this.signal });
      const response = await this.#headersOf(sent);
      const refusal = await Promise.race([this.#refusalOf(response), this.#stopped]);
      if (refusal) throw this.#failWith(refusal);
      const contentType = response.headers.get("content-type") ?? "";
      return new Response(response.body && this.#watchBody(response.body), {
        headers: { "content-type": contentType },
      });
    } finally {
      clearTimeout(this.#timer);
    }
  };

  async #headersOf(sent: Promise<Response>): Promise<Response> {
    try {
      return await Promise.race([sent, this.#stopped]);
    } catch (thrown) {
      if (thrown instanceof ProviderError) throw this.#failWith(thrown.failure);
      throw this.#failWith(failureOf("unreachable", this.#setup.vendor));
    }
  }

  async #refusalOf(response: Response): Promise<ProviderFailure | undefined> {
    const { vendor, model, accepts } = this.#setup;
    const contentType = response.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    if (response.ok && accepts.includes(contentType)) return undefined;
    const body = await readErrorText(response).catch(() => "");
    if (!response.ok) {
      return failureOfResponse(vendor, {
        status: response.status,
        headers: response.headers,
        body,
        now: Date.now(),
        model,
      });
    }
    const told = failureOfErrorText(vendor, body, model);
    return told ?? failureOf("protocol", vendor, { detail: `content type ${contentType || "missing"}` });
  }

  /** One reader, one loop: no `tee`, nothing held back. A wait counts as idle only while somebody waits. */
  #watchBody(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const idleMs = this.#setup.options.idleTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    let armed = false;
    let waitingSince: number | undefined;
    let lineBytes = 0;
    const checkIdle = (): void => {
      const waited = waitingSince === undefined ? 0 : Date.now() - waitingSince;
      if (waited >= idleMs) this.#fail("timeout");
      else this.#timer = setTimeout(checkIdle, idleMs - waited);
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.signal.addEventListener("abort", () => {
            controller.error(this.signal.reason);
            reader.cancel(this.signal.reason).catch(() => undefined);
          });
        },
        pull: async (controller) => {
          if (!armed) this.#timer = setTimeout(checkIdle, idleMs);
          armed = true;
          waitingSince = Date.now();
          try {
            const { done, value } = await reader.read();
            waitingSince = undefined;
            this.#setup.options.onActivity?.();
            if (this.signal.aborted) return;
            this.#ended ||= done;
            if (done) return controller.close();
            const newline = value.lastIndexOf(NEWLINE);
            lineBytes = newline === -1 ? lineBytes + value.byteLength : value.byteLength - newline;
            if (lineBytes > MAX_LINE_BYTES) this.#fail("protocol");
            else controller.enqueue(value);
          } catch {
            if (!this.signal.aborted) throw this.#failWith(failureOf("stream_cut", this.#setup.vendor));
          }
        },
        // Where the reader left early, `close` aborts and so ends this at once.
        cancel: () => {
          drain(reader).catch(() => undefined);
        },
      },
      { highWaterMark: 0 },
    );
  }
}

export const watchRequest = (setup: WatchSetup): Watch => new RequestWatch(setup);
