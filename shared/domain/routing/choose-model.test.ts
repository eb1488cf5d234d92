import { describe, expect, it } from "vitest";
import { Receipt } from "../../contract/receipt.ts";
import { aModel, anInstance, testId } from "../../testing/builders.ts";
import { BUILT_IN_IDS } from "../providers/provider-record.ts";
import { type ChoiceFacts, chooseModel, type RoutableInstance } from "./choose-model.ts";

const openai = anInstance({
  id: BUILT_IN_IDS.openai,
  kind: "openai",
  displayName: "OpenAI",
  models: [
    aModel({
      providerId: BUILT_IN_IDS.openai,
      provider: "openai",
      id: "gpt-5.4",
      name: "GPT-5.4",
      aliases: [],
      tier: "premium",
    }),
  ],
});
const guide = anInstance({
  id: "guide",
  kind: "guide",
  displayName: "Guide",
  models: [aModel({ providerId: "guide", provider: "guide", id: "guide", name: "Guide", prices: null, aliases: [] })],
});
const facts = (overrides: Partial<ChoiceFacts> = {}): ChoiceFacts => ({
  receiptId: testId(),
  parts: [{ type: "text", text: "hi" }],
  pinned: null,
  preferred: null,
  preferredProviderId: null,
  instances: [anInstance(), openai, guide],
  inputTokens: 100,
  configuration: "fresh",
  isShared: false,
  ...overrides,
});

describe("choosing a model", () => {
  it("takes the first healthy provider and keeps the others in line, the guide last", () => {
    const choice = chooseModel(facts());
    expect(choice.candidates.map((candidate) => candidate.model.id)).toEqual(["claude-sonnet-4-6", "gpt-5.4", "guide"]);
    expect(Receipt.parse(choice.receipt).chosen.provider).toBe("anthropic");
  });

  it("passes over a provider that is down and says so in the receipt", () => {
    const choice = chooseModel(facts({ instances: [anInstance({ health: "down" }), openai, guide] }));
    expect(choice.candidates[0]?.kind).toBe("openai");
    expect(choice.receipt.rejected).toMatchObject([
      { providerId: BUILT_IN_IDS.anthropic, why: expect.stringContaining("Anthropic") },
    ]);
  });

  it("prefers the workspace's default where it can be had", () => {
    expect(chooseModel(facts({ preferred: "gpt-5.4" })).candidates[0]?.model.id).toBe("gpt-5.4");
    const gone = chooseModel(facts({ preferred: "gone-1" }));
    expect(gone.candidates[0]?.kind).toBe("anthropic");
    expect(gone.receipt.rejected[0]?.model).toBe("gone-1");
  });

  it("takes a pinned model and nothing instead of it", () => {
    const choice = chooseModel(facts({ pinned: "gpt-5.4", preferred: "claude-sonnet-4-6" }));
    expect(choice.candidates.map((candidate) => candidate.kind)).toEqual(["openai"]);
    expect(choice.receipt.pinned).toBe(true);
  });

  it("refuses a pinned model that nobody has and names the nearest", () => {
    const choice = chooseModel(facts({ pinned: "gpt-5.5" }));
    expect(choice.error).toMatchObject({ code: "no_route", message: expect.stringContaining("gpt-5.4") });
  });

  it("lets the guide answer when nothing is connected, and tries what is down before it", () => {
    expect(chooseModel(facts({ instances: [guide] })).candidates.map((each) => each.kind)).toEqual(["guide"]);
    const down = chooseModel(facts({ instances: [anInstance({ health: "down" }), guide] }));
    expect(down.candidates.map((each) => each.kind)).toEqual(["anthropic", "guide"]);
  });

  it("predicts the cost of the chosen model and of the dearest other one", () => {
    const { receipt } = chooseModel(facts());
    expect(receipt.predicted).toEqual({ inputTokens: 100, outputTokens: 500, microUsd: 7_800 });
    expect(receipt.alternatives.map((each) => each.model)).toEqual(["gpt-5.4"]);
  });

  it("asks the workspace's default provider first, while it is well", () => {
    const wish = { preferredProviderId: BUILT_IN_IDS.openai };
    expect(chooseModel(facts(wish)).candidates[0]?.kind).toBe("openai");
    expect(chooseModel(facts(wish)).receipt.reason).toContain("default provider");
    const down = { ...openai, health: "down" as const };
    expect(chooseModel(facts({ ...wish, instances: [anInstance(), down, guide] })).candidates[0]?.kind).toBe(
      "anthropic",
    );
  });

  it("has the same model elsewhere answer before any other", () => {
    const twin = anInstance({ id: testId(), displayName: "The other machine" });
    const { candidates } = chooseModel(facts({ instances: [anInstance(), openai, twin, guide] }));
    expect(candidates.map((each) => each.displayName)).toEqual(["Anthropic", "The other machine", "OpenAI", "Guide"]);
  });

  it("takes a pinned model from another provider that has it, when the first is down", () => {
    const twin = anInstance({ id: testId(), displayName: "The other machine" });
    const instances = [anInstance({ health: "down" }), openai, twin, guide];
    const { candidates } = chooseModel(facts({ pinned: "claude-sonnet-4-6", instances }));
    expect(candidates.map((each) => each.displayName)).toEqual(["The other machine", "Anthropic"]);
    const one = chooseModel(facts({ pinned: `${BUILT_IN_IDS.anthropic}/claude-sonnet-4-6`, instances }));
    expect(one.candidates.map((each) => each.displayName)).toEqual(["Anthropic"]);
  });

  it("says why a provider was passed over", () => {
    const trouble = { error: "Anthropic does not accept the key; enter a new one under Settings, Providers." };
    const instances = [anInstance({ health: "down", trouble }), openai, guide];
    expect(chooseModel(facts({ instances })).receipt.rejected[0]?.why).toBe(trouble.error);
  });

  it("takes a model pinned on one machine from that machine alone, and says so when that is gone", () => {
    const [desk, lab] = [testId(), testId()].map((id) =>
      anInstance({
        id,
        kind: "ollama",
        displayName: `Ollama ${id}`,
        models: [aModel({ providerId: id, id: "qwen3:4b" })],
      }),
    );
    if (!desk || !lab) throw new Error("two machines");
    const pinned = `${lab.id}/qwen3:4b`;
    const ids = (instances: RoutableInstance[]) =>
      chooseModel(facts({ pinned, instances })).candidates.map((each) => each.instanceId);
    expect(ids([desk, lab])).toEqual([lab.id]);
    expect(ids([desk, { ...lab, health: "down" }])).toEqual([lab.id]);
    const gone = chooseModel(facts({ pinned, instances: [desk] }));
    expect(gone.candidates).toEqual([]);
    expect(gone.error?.message).toMatch(
      /^The provider that was to answer with "qwen3:4b" is not connected here any more/,
    );
    expect(gone.receipt.chosen.model).toBe("qwen3:4b");
    const elsewhere = { ...lab, displayName: "Lab", models: [aModel({ id: "llama3:8b" })] };
    const error = chooseModel(facts({ pinned, instances: [desk, elsewhere] })).error;
    expect(error?.message).toMatch(/^Lab does not offer the model "qwen3:4b"/);
  });

  it("takes a model that several machines have from one that is well", () => {
    const machine = (health: "healthy" | "down") =>
      anInstance({ id: testId(), kind: "ollama", health, models: [aModel({ id: "qwen3:4b" })] });
    const [down, well] = [machine("down"), machine("healthy")];
    const { candidates } = chooseModel(facts({ pinned: "ollama/qwen3:4b", instances: [down, well] }));
    expect(candidates.map((each) => each.instanceId)).toEqual([well.id, down.id]);
  });
});

it("names the provider that was chosen where several of its kind are connected, and hides whose it is from others", () => {
  const [attic, box] = ["attic", "box"].map((displayName) => anInstance({ id: testId(), kind: "ollama", displayName }));
  if (!attic || !box) throw new Error("two of them");
  const chosen = (instances: RoutableInstance[], isShared = false) =>
    Receipt.parse(chooseModel(facts({ instances, isShared })).receipt).chosen.displayName;
  expect(chosen([attic, box])).toBe("attic");
  expect(chosen([attic, openai])).toBeUndefined();
  expect(chosen([{ ...attic, isPersonal: true }, box], true)).toBeUndefined();
});

describe("a pinned model that nobody is known to have", () => {
  const away = (overrides: Partial<RoutableInstance> = {}) =>
    anInstance({
      ...{ id: testId(), kind: "ollama", displayName: "Ollama on attic", models: [], health: "down" },
      ...{ trouble: { error: 'The machine "attic" is not connected.' }, ...overrides },
    });
  const told = (instances: RoutableInstance[], pinned: string, isShared = false) =>
    chooseModel(facts({ instances, pinned, isShared })).error?.message;

  it("is explained by the provider that is away and whose models nobody has read", () => {
    const why = 'Ollama on attic may have it, and does not answer: The machine "attic" is not connected.';
    expect(told([openai, away()], "llama3.2:3b")).toContain(why);
    expect(told([openai, away({ trouble: null })], "llama3.2:3b")).toContain("No provider here offers");
    expect(told([openai, away({ isPersonal: true })], "llama3.2:3b", true)).not.toContain("attic");
  });
});

describe("a choice that others read too", () => {
  const own = (name: string, overrides: Partial<RoutableInstance> = {}) => {
    const id = `id-of-${name}`;
    const models = [aModel({ id: `${name}-model`, name, providerId: id, provider: "ollama", aliases: [] })];
    return anInstance({ id, kind: "ollama", displayName: `${name}'s laptop`, models, isPersonal: true, ...overrides });
  };
  const down = { health: "down" as const, trouble: { error: "Nobody answers at 10.1.2.3." } };
  const trouble = { error: "Anthropic is overloaded." };
  const instances = [own("ada", down), own("zoe", down), own("ida"), anInstance({ ...down, trouble }), openai, guide];
  const told = (overrides: Partial<ChoiceFacts>) => {
    const { receipt, error } = chooseModel(facts({ instances, isShared: true, ...overrides }));
    return { receipt: Receipt.parse(receipt), text: JSON.stringify([receipt, error]) };
  };

  it("names of whoever asked only the one that answers, of the others no more than the vendor", () => {
    const [ada, zoe, ida] = instances;
    const { receipt, text } = told({});
    expect(receipt.chosen.providerId).toBe(ida?.id);
    expect(receipt.rejected).toEqual([
      { providerId: "none", provider: "ollama", model: "personal", why: expect.stringMatching(/^A provider of/) },
      { providerId: BUILT_IN_IDS.anthropic, provider: "anthropic", model: expect.any(String), why: trouble.error },
    ]);
    for (const secret of [ada?.id, zoe?.id, "ada", "zoe"]) expect(text).not.toContain(secret);
    expect(told({ preferred: "ada-model" }).text).not.toMatch(/ada|zoe|10\.1/);
    expect(told({ instances: [openai, own("zoe"), guide] }).text).not.toContain("zoe");
  });

  it("guesses at no name of a model that only they have, and says not whose instance lacks one", () => {
    expect(told({ pinned: "ada-modem" }).text).not.toContain("ada-model");
    expect(told({ pinned: `${instances[0]?.id}/other` }).text).not.toContain("laptop");
  });

  it("tells all of it where nobody else reads it", () => {
    expect(told({ isShared: false }).text).toContain(down.trouble.error);
    expect(told({ isShared: false }).receipt.rejected).toHaveLength(3);
  });
});
