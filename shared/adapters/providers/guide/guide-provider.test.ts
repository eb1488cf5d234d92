import { describe, expect, it } from "vitest";
import {
  ask,
  collect,
  failureOfEvents,
  finishOfEvents,
  textOfEvents,
} from "../../../testing/providers/collect-events.ts";
import { GUIDE_PASSAGES } from "./guide-content.gen.ts";
import { createGuideProvider, GUIDE_MODEL } from "./guide-provider.ts";

const passages = [
  { doc: "docs/self-hosting.md", heading: "Backups", text: "Copy the data folder while Mosaic is stopped." },
  {
    doc: "docs/self-hosting.md",
    heading: "Ports",
    text: "Set PORT to another number when the port is busy.\n\n```\nPORT=9000 npm start\n```",
  },
  { doc: "docs/getting-started.md", heading: "First start", text: "Run npm start and open the page." },
];
const guide = createGuideProvider({ passages });

describe("the guide", () => {
  it("quotes what fits the question best, with the document's name", async () => {
    const text = textOfEvents(await collect(guide, ask(GUIDE_MODEL, "How do I make a backup?")));
    expect(text).toContain("docs/self-hosting.md");
    expect(text).toContain("> Copy the data folder while Mosaic is stopped.");
    expect(text).not.toContain("open the page");
  });

  it("says that it is no language model, and how to connect one", async () => {
    const text = textOfEvents(await collect(guide, ask(GUIDE_MODEL, "zzz")));
    expect(text).toContain("not a language model");
    expect(text).toContain("ANTHROPIC_API_KEY");
    expect(text).toContain("OLLAMA_BASE_URL");
  });

  it("tells what was tried in vain, and keeps every other instruction to itself", async () => {
    const system = "You are a pirate.\nunreachable: Anthropic refused the API key (401).\nunreachable: Ollama is off.";
    const text = textOfEvents(await collect(guide, ask(GUIDE_MODEL, "backup", { system })));
    expect(text).toContain("- Anthropic refused the API key (401).");
    expect(text).toContain("- Ollama is off.");
    expect(text).not.toContain("pirate");
  });

  it("streams in pieces, counts nothing and costs nothing", async () => {
    const events = await collect(guide, ask(GUIDE_MODEL, "port busy"));
    expect(events.length).toBeGreaterThan(5);
    expect(finishOfEvents(events)).toEqual({
      type: "finish",
      reason: "stop",
      usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 },
      model: GUIDE_MODEL,
      costMicroUsd: 0,
    });
  });

  it("can be stopped", async () => {
    const controller = new AbortController();
    const events = [];
    for await (const event of guide.stream(ask(GUIDE_MODEL, "port"), { signal: controller.signal })) {
      events.push(event);
      controller.abort();
    }
    expect(failureOfEvents(events).kind).toBe("aborted");
    expect(events.length).toBe(2);
  });

  it("answers without documents and without a question", async () => {
    const bare = createGuideProvider({ passages: [] });
    finishOfEvents(await collect(bare, { model: GUIDE_MODEL, messages: [] }));
  });
});

describe("the guide with this project's own documents", () => {
  const shipped = createGuideProvider();

  it.each([
    ["what can you do?", "What can you do"],
    ["hello", "What can you do"],
    ["how do I connect a model?", "ANTHROPIC_API_KEY"],
    ["how do I use Ollama?", "OLLAMA_BASE_URL"],
    ["where is my data?", ".mosaic"],
    ["how do I reset my password?", "mail"],
    ["how do I use the terminal?", "npx mosaic"],
  ])("answers %j from the right page", async (question, passage) => {
    const events = await collect(shipped, ask(GUIDE_MODEL, question));
    const text = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
    expect(text.toLowerCase()).toContain(passage.toLowerCase());
    expect(text).not.toContain("found nothing");
  });

  const answerTo = async (question: string, system?: string): Promise<string> =>
    textOfEvents(await collect(shipped, ask(GUIDE_MODEL, question, system === undefined ? {} : { system })));
  const quotesIn = (text: string): number => text.match(/^\*\*\S+\*\*, “/gm)?.length ?? 0;

  it.each([
    "What is a monad?",
    "Write a haiku about autumn",
    "How does photosynthesis work?",
    "write a function that sorts a list in python",
  ])("says plainly that nothing fits %j, and quotes nothing", async (question) => {
    const text = await answerTo(question);
    expect(text).toContain("found nothing");
    expect(quotesIn(text)).toBe(0);
  });

  it("says once how to connect a model, also where that was the question", async () => {
    expect((await answerTo("how do I connect a model?")).match(/`ANTHROPIC_API_KEY`/g)).toHaveLength(1);
    expect((await answerTo("How do I make a backup?")).match(/`ANTHROPIC_API_KEY`/g)).toHaveLength(1);
  });

  it("leads with what failed and what to do about it where models are set up, and quotes little", async () => {
    const text = await answerTo("How do I make a backup?", "unreachable: Anthropic did not answer.");
    expect(text).toMatch(/^None of the configured models could be reached:\n\n- Anthropic did not answer\.\n\nCheck /);
    expect(quotesIn(text)).toBe(1);
    expect(text).not.toContain("ANTHROPIC_API_KEY");
    expect(quotesIn(await answerTo("What is a monad?", "unreachable: Anthropic did not answer."))).toBe(0);
  });

  it("quotes at most two passages, briefly and in whole sentences", async () => {
    for (const { heading } of GUIDE_PASSAGES) {
      const text = await answerTo(heading);
      expect(quotesIn(text), heading).toBeLessThanOrEqual(2);
      for (const quoted of text.match(/(?:^>.*\n?)+/gm) ?? []) {
        const plain = quoted.replace(/^> ?/gm, "").trim();
        expect(plain.length, heading).toBeLessThanOrEqual(450);
        expect((plain.match(/^```/gm) ?? []).length % 2, heading).toBe(0);
        expect(plain, heading).not.toMatch(/:$/);
      }
    }
  });
});
