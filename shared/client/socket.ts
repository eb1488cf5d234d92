import { SUBPROTOCOL } from "../contract/frames.ts";

interface SocketHandlers {
  open(): void;
  message(text: string): void;
  /** Called once, whether the socket ever opened or not. `code` is 1006 where the connection just ended. */
  close(code: number, reason: string): void;
}

export interface Socket {
  send(text: string): void;
  close(code?: number): void;
}

export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket;

/** What is used of the platform's WebSocket, the same in browsers and in Node. */
interface PlatformSocket {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: string, listener: (event: { data?: unknown; code?: number; reason?: string }) => void): void;
}

type SocketConstructor = new (...args: unknown[]) => PlatformSocket;

export interface SocketAuth {
  /** Sent as Bearer with the upgrade. Node's WebSocket can, a browser's cannot: it has the cookie or a ticket. */
  token?: string | undefined;
  /** Fetched anew for every connection, since a ticket works once. */
  ticket?: (() => Promise<string>) | undefined;
}

/** Opens the platform's own WebSocket; `constructorOf` lets a test or an older platform bring another one. */
export function platformSockets(auth: SocketAuth, constructorOf?: () => object): OpenSocket {
  return (url, handlers) => {
    let socket: PlatformSocket | null = null;
    let ended = false;
    const end = (code: number, reason: string): void => {
      if (ended) return;
      ended = true;
      handlers.close(code, reason);
    };
    const connect = (address: string): void => {
      if (ended) return;
      // The constructor's second argument differs between the platforms' types, not in what they accept here.
      const options = auth.token === undefined ? [SUBPROTOCOL] : upgradeWith(auth.token);
      const Constructor = constructorOf?.() ?? globalThis.WebSocket;
      const opened: PlatformSocket = Reflect.construct(asConstructor(Constructor), [address, options]);
      socket = opened;
      opened.addEventListener("open", () => handlers.open());
      opened.addEventListener("message", ({ data }) => {
        if (!ended && typeof data === "string") handlers.message(data);
      });
      opened.addEventListener("error", () => end(1006, ""));
      opened.addEventListener("close", ({ code, reason }) => end(code ?? 1006, reason ?? ""));
    };
    if (auth.ticket) {
      auth.ticket().then(
        (ticket) => connect(`${url}?ticket=${encodeURIComponent(ticket)}`),
        () => end(1006, ""),
      );
    } else {
      connect(url);
    }
    return {
      send: (text) => socket?.send(text),
      close: (code) => {
        end(code ?? 1000, "");
        socket?.close(code);
      },
    };
  };
}

const upgradeWith = (token: string) => ({ protocols: [SUBPROTOCOL], headers: { authorization: `Bearer ${token}` } });

function asConstructor(value: object): SocketConstructor {
  if (typeof value !== "function") throw new TypeError("This platform has no WebSocket.");
  return value as SocketConstructor;
}
