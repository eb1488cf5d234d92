/** A server that must not be found: counts who connects, and keeps what they said. */
import { createServer, type Socket } from "node:net";

export interface ListeningPost {
  port: number;
  connections(): number;
  /** Every byte that came, as text. */
  heard(): string;
  close(): Promise<void>;
}

/** Listens on every address of this machine, v4 and v6 alike; answers each request with a refusal to talk. */
export async function startListeningPost(): Promise<ListeningPost> {
  const sockets = new Set<Socket>();
  let [connections, heard] = [0, ""];
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      socket.end("HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "::", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The listening post has no port.");
  return {
    port: address.port,
    connections: () => connections,
    heard: () => heard,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
