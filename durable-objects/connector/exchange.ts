import { Inlet } from "../../shared/contract/connector-flow.ts";
import type { HeaderBlock } from "../../shared/contract/connector-frames.ts";

/** Answers of these statuses have no body, and a `Response` takes none. */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/** Of the machine's own connection to its model server, or for a browser: nothing of this answer's. */
const NOT_PASSED_ON: readonly string[] = [
  "connection",
  "content-length",
  "keep-alive",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

interface Deps {
  /** Tells the machine that it may send so much more. */
  grant(bytes: number): void;
  /** Nobody reads the answer any more. */
  onCancel(): void;
}

/** One request over the line, from its `open` to the end of its answer. */
export class Exchange {
  /** Fulfils with the answer once its headers are here; its body comes as it is read. */
  readonly response: Promise<Response>;
  readonly #inlet: Inlet;
  readonly #deps: Deps;
  #settle: { resolve(response: Response): void; reject(reason: Error): void } | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#inlet = new Inlet((bytes) => deps.grant(bytes));
    this.response = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever asked may be gone before it fails.
    this.response.catch(() => {});
  }

  get hasHeaders(): boolean {
    return this.#settle === null;
  }

  /** @returns false for headers that came twice */
  begin(status: number, block: HeaderBlock): boolean {
    const settle = this.#settle;
    if (!settle) return false;
    this.#settle = null;
    const headers = block.filter(([name]) => !NOT_PASSED_ON.includes(name));
    const isEncoded = headers.some(([name]) => name === "content-encoding");
    const body = WITHOUT_BODY.includes(status) ? null : this.#body();
    // What the model server compressed stays as it is.
    settle.resolve(new Response(body, { status, headers, ...(isEncoded ? { encodeBody: "manual" } : {}) }));
    return true;
  }

  /** @returns false for data before the headers, and for more than there was credit for */
  data(bytes: Uint8Array): boolean {
    return this.hasHeaders && this.#inlet.push(bytes);
  }

  end(): void {
    this.#inlet.end();
  }

  /** Before the headers the answer is `early`; after them its body breaks off. */
  fail(reason: Error, early: () => Response): void {
    this.#inlet.fail(reason);
    this.#settle?.resolve(early());
    this.#settle = null;
  }

  #body(): ReadableStream<Uint8Array> {
    const inlet = this.#inlet;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await inlet.read();
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        },
        cancel: () => this.#deps.onCancel(),
      },
      { highWaterMark: 0 },
    );
  }
}
