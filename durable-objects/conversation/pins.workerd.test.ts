import { v7 as newId } from "uuid";
import { describe, expect, it } from "vitest";
import type { Conversation } from "../../shared/contract/conversation.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import { aModel } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { executeCommand } from "./commands.ts";
import { sessionInfo } from "./session-info.ts";

interface Machine {
  kind: ProviderInstance["kind"];
  models: readonly string[];
}

/** The bench's two models stand behind providers that list what a test says, and changes are taken at once. */
function withMachines(bench: RoomBench, first: Machine, second: Machine): [string, string] {
  const [a, b] = bench.models;
  const instanceOf = ({ instance }: typeof a, { kind, models }: Machine): ProviderInstance => {
    const id = newId();
    return {
      ...instance,
      id,
      kind,
      displayName: `${kind} of ${instance.displayName}`,
      models: models.map((model) => aModel({ providerId: id, provider: kind, id: model, name: model, aliases: [] })),
    };
  };
  const instances = [instanceOf(a, first), instanceOf(b, second)] as const;
  bench.services.providers = { ...bench.services.providers, instances: () => [...instances] };
  bench.services.conversations = {
    ...bench.services.conversations,
    update: async (_scope, _id, { title, model }): Promise<Conversation> => {
      const { born } = bench.room.journal;
      return {
        ...born,
        title: title ?? born.title,
        model: model === undefined ? born.model : model,
        version: born.version + 1,
      };
    },
  };
  bench.lose();
  return [instances[0].id, instances[1].id];
}

const command = (bench: RoomBench, text: string) => executeCommand(bench.room, bench.owner, text);
const pinOf = (bench: RoomBench) => bench.room.journal.born.model;

/** Who is asked for what by the next message. */
async function askedNext(bench: RoomBench): Promise<string[]> {
  bench.say("who are you?");
  await bench.settle();
  const asked = bench.models.flatMap(({ asked, instance }) =>
    asked.splice(0).map((answer) => {
      answer.text("me").finish();
      return `${instance.displayName}: ${answer.request.model}`;
    }),
  );
  await bench.settle();
  return asked;
}

const DESK: Machine = { kind: "ollama", models: ["qwen3:4b", "both:1b"] };
const LAB: Machine = { kind: "ollama", models: ["llama3:8b", "both:1b"] };

describe("a pinned model", () => {
  it("is the second machine's, by the name that /models prints and the page picks", () =>
    inRoom(async (bench) => {
      withMachines(bench, DESK, LAB);
      const [, , name = ""] = (await command(bench, "/models")).text.split("\n").map((line) => line.split(" ")[0]);
      expect(name).toBe("ollama/llama3:8b");
      expect(await command(bench, `/model ${name}`)).toMatchObject({ ok: true });
      expect(pinOf(bench)).toBe("ollama/llama3:8b");
      expect(await askedNext(bench)).toEqual(["second: llama3:8b"]);
    }));

  it("stays on the machine that was named, and is shown without that", () =>
    inRoom(async (bench) => {
      const [, lab] = withMachines(bench, DESK, LAB);
      const pinned = await command(bench, `/model ${lab}/both:1b`);
      expect(pinned).toMatchObject({ data: { model: "both:1b", provider: "ollama" } });
      expect(pinned.text).toMatch(/^both:1b answers from now on/);
      expect(pinOf(bench)).toBe(`${lab}/both:1b`);
      expect(sessionInfo(bench.room).model).toEqual({
        provider: "ollama",
        id: "both:1b",
        contextWindow: 200_000,
        pinned: true,
      });
      expect(await askedNext(bench)).toEqual(["second: both:1b"]);
      const { text, data } = await command(bench, "/model");
      expect(text).toContain("both:1b is pinned");
      expect(text).toContain("ollama of second is healthy");
      expect(text).not.toContain("ollama of first");
      expect(data).toMatchObject({ model: "both:1b", pinned: true });
    }));

  it("answers also where its vendor does not list it", () =>
    inRoom(async (bench) => {
      withMachines(bench, { kind: "openrouter", models: ["openrouter/auto"] }, LAB);
      expect(await command(bench, "/model openrouter/new/one")).toMatchObject({ data: { model: "new/one" } });
      expect(await askedNext(bench)).toEqual(["first: new/one"]);
    }));

  it("is the vendor's own, also where a gateway has one that is called so", () =>
    inRoom(async (bench) => {
      withMachines(bench, { kind: "openrouter", models: ["openai/gpt-5.1"] }, { kind: "openai", models: ["gpt-5.1"] });
      await command(bench, "/model openai/gpt-5.1");
      expect(await askedNext(bench)).toEqual(["second: gpt-5.1"]);
      await command(bench, "/model openrouter/openai/gpt-5.1");
      expect(pinOf(bench)).toBe("openrouter/openai/gpt-5.1");
      expect(sessionInfo(bench.room).model).toMatchObject({ provider: "openrouter", id: "openai/gpt-5.1" });
      expect(await askedNext(bench)).toEqual(["first: openai/gpt-5.1"]);
    }));

  it("is known by its name alone before anything else is known of it", () =>
    inRoom(async (bench) => {
      const { journal } = bench.room;
      journal.transact(() => journal.saveConversation({ ...journal.born, model: "openrouter/openai/gpt-5.1" }));
      expect(sessionInfo(bench.room).model).toEqual({
        provider: "openrouter",
        id: "openai/gpt-5.1",
        contextWindow: null,
        pinned: true,
      });
    }));
});
