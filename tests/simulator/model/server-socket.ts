/** Attachments of hibernating sockets hold this much. */
const MAX_ATTACHMENT_BYTES = 2_048;

/** The connection as the object's end needs it. */
interface Line {
  toClient(text: string): void;
  closeFromServer(code: number, reason: string): void;
  serverGone(noticedAfterMs: number | null): void;
}

/** What a socket keeps while its object sleeps: the connection and the attachment. */
export interface Held {
  link: Line | null;
  attachment: string | null;
  /** The object closed it, or was told that it is closed. */
  isClosed: boolean;
  gate: (release: () => void) => void;
}

/** The object's end of a socket. A woken object gets another one over the same `Held`. */
export class ServerSocket {
  readonly held: Held;

  constructor(held: Held = { link: null, attachment: null, isClosed: false, gate: (release) => release() }) {
    this.held = held;
  }

  send(text: string): void {
    const { held } = this;
    if (held.isClosed) throw new TypeError("Can't call WebSocket send() after close().");
    held.gate(() => held.link?.toClient(text));
  }

  close(code = 1000, reason = ""): void {
    const { held } = this;
    if (held.isClosed) return;
    held.isClosed = true;
    held.gate(() => held.link?.closeFromServer(code, reason));
  }

  serializeAttachment(value: unknown): void {
    const text = JSON.stringify(value);
    if (text.length > MAX_ATTACHMENT_BYTES) throw new Error("serialized attachment is too large");
    this.held.attachment = text;
  }

  deserializeAttachment(): unknown {
    return this.held.attachment === null ? null : JSON.parse(this.held.attachment);
  }
}
