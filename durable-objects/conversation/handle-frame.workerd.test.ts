import { v7 as newId } from "uuid";
import { expect, it } from "vitest";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { TestSocket } from "../../shared/testing/worker/test-socket.ts";
import { handleFrame } from "./handle-frame.ts";

/** A greeted socket of the owner's; `say` brings a frame to the object's code. */
async function attached({ room, owner }: RoomBench) {
  const { 0: client, 1: server } = new WebSocketPair();
  room.sessions.accept(server, {
    id: newId(),
    userId: owner.userId,
    name: owner.name,
    credentialId: owner.credentialId,
    credential: "session",
    workspaceId: room.journal.born.workspaceId,
    role: "owner",
    expiresAt: "2999-01-01T00:00:00.000Z",
    kind: "web",
  });
  const say = (frame: object) => handleFrame(room, server, JSON.stringify(frame));
  return { socket: new TestSocket(client), say };
}

it.each([
  ["a message", { type: "message:send", text: "hello" }],
  ["a command", { type: "command:execute", command: "/models" }],
  ["a stop", { type: "turn:stop" }],
])("%s that cannot be carried out is answered, so that its client does not wait for nothing", (_what, frame) =>
  inRoom(async (bench) => {
    const { socket, say } = await attached(bench);
    const broken = () => {
      throw new Error("disk of secrets is full");
    };
    bench.room.journal.transact = broken;
    bench.room.turns.find = broken;
    bench.room.turns.running = broken;
    bench.room.services = {
      ...bench.room.services,
      providers: { ...bench.room.services.providers, instances: broken },
    };
    const id = newId();
    await say({ ...frame, id });
    const error = await socket.next("error");
    expect(error).toMatchObject({ id, code: "internal" });
    expect(error.message).not.toContain("secrets");
    expect(socket.closed).toBeNull();
  }),
);
