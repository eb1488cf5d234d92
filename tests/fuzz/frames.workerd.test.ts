import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { v7 as newId } from "uuid";
import { expect, it } from "vitest";
import { type Bindings, conversationObject } from "../../durable-objects/stubs.ts";
import { aConversation } from "../../shared/testing/worker/conversations.ts";
import { aPerson, aWorkspace } from "../../shared/testing/worker/people.ts";
import { openSocket } from "../../shared/testing/worker/test-socket.ts";
import { fuzzFrames } from "./fuzz-frames.ts";

const bindings = env as unknown as Bindings;

it("stays up and answers each frame as the protocol says, whatever is thrown at it", async () => {
  const owner = await aPerson({ id: await aWorkspace(), role: "owner" });
  const { id, object } = await aConversation(owner, (each) => conversationObject(bindings, each));
  const instance = () =>
    runInDurableObject(bindings.CONVERSATION.get(bindings.CONVERSATION.idFromName(id)), (living) => living as object);
  const before = await instance();
  const counts = await fuzzFrames({
    seed: 20_261_121,
    inputs: 1_300,
    newId,
    connect: () => openSocket(object, owner, 40_000),
  });
  expect(await instance()).toBe(before);
  expect(counts.inputs).toBeGreaterThan(1_250);
  expect(counts.answered).toBeGreaterThan(20);
}, 120_000);
