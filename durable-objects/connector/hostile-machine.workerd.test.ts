import { env } from "cloudflare:workers";
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test, vi } from "vitest";
import type { MachineAnswer } from "../../shared/client/connector/machine-streams.ts";
import { encodeData } from "../../shared/contract/connector-frames.ts";
import type { DialIn } from "../../shared/ports/connector-gateway.ts";
import { aPerson } from "../../shared/testing/worker/people.ts";
import { askMachine, HELLO, STAMP, TestMachine } from "../../shared/testing/worker/test-machine.ts";
import { servicesFor } from "../services-for.ts";
import { type Bindings, connectorObject } from "../stubs.ts";

vi.setConfig({ testTimeout: 120_000 });

const bindings = env as unknown as Bindings;
const services = servicesFor(bindings);

async function* nothing(): AsyncGenerator<Uint8Array> {}
const silent = (): Promise<MachineAnswer> => new Promise(() => {});
const honest = async (): Promise<MachineAnswer> => ({ status: 204, headers: [], body: nothing() });

const OWN = new Map<string, readonly ("stream" | "status" | "headers" | "message" | "bytes")[]>([
  ["headers", ["stream", "status", "headers"]],
  ["reset", ["stream", "message"]],
  ["credit", ["stream", "bytes"]],
]);

/** Frames of the right shape for streams that may be open, frames of nearly the right shape, and noise. */
const stream = fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, -1, 1.5, "OPEN");
const frame = fc.oneof(
  fc
    .record({
      type: fc.constantFrom("headers", "end", "reset", "credit", "hello", "welcome", "open", "__proto__"),
      stream,
      status: fc.constantFrom(200, 204, 304, 500, 99, 600),
      headers: fc.constantFrom(
        [],
        [["content-length", "5"]],
        [["content-encoding", "gzip"]],
        [["transfer-encoding", "chunked"]],
        [["x"]],
      ),
      message: fc.constantFrom("m", "\u0000\u001b[2J"),
      bytes: fc.constantFrom(1, 70_000, -1, 1e15),
    })
    .map(({ type, ...all }) => {
      const fields = (OWN.get(type) ?? ["stream"]).map((name) => [name, all[name]]);
      return JSON.stringify({ type, ...Object.fromEntries(fields) });
    }),
  fc.tuple(fc.constantFrom(0, 1, 7), fc.uint8Array({ maxLength: 40 })).map(([of, bytes]) => encodeData(of, bytes)),
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ maxLength: 40 }),
  fc.json(),
);

test("whatever a machine sends, its object stays, whoever waits is answered, and the next machine is served", async () => {
  const owner = await aPerson();
  const connectorId = newId();
  const at = new Date().toISOString();
  const scope = { userId: owner.userId };
  const secretHash = newId();
  await services.connectors.create(scope, { id: connectorId, name: "desk", tokenHash: null, tokenExpiresAt: null, at });
  await services.connectors.enrol(scope, connectorId, secretHash, at);
  const dialIn: DialIn = { connectorId, stamp: STAMP, secretHash, owner: { ownerUserId: owner.userId, name: "desk" } };
  const target = { connectorId, ownerUserId: owner.userId, upstream: "ollama" };
  const object = connectorObject(bindings, connectorId);
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 30 }), fc.boolean(), async (frames, greets) => {
      const machine = await TestMachine.silent(object, dialIn, silent);
      if (greets) machine.say(HELLO);
      if (greets) await machine.until("a welcome", () => machine.welcomes > 0);
      const waiting = greets ? askMachine(object, target, "/api/chat", { method: "POST", body: "question" }) : null;
      if (waiting) await machine.until("a stream", () => machine.streams.size > 0);
      const open = /"stream":(\d+)/.exec(machine.frames.find((each) => each.includes('"open"')) ?? "")?.[1] ?? "1";
      for (const each of frames) {
        machine.socket.send(typeof each === "string" ? each.replaceAll('"OPEN"', open) : each);
      }
      const next = await TestMachine.dial(object, dialIn, honest);
      const answer = await waiting;
      await answer?.arrayBuffer().catch(() => null);
      expect((await askMachine(object, target, "/api/tags")).status).toBe(204);
      next.socket.close(1000, "done");
    }),
    { numRuns: 60 },
  );
});
