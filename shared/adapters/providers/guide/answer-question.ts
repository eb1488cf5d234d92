/** What the guide says: pure, from the passages at hand. */
import MiniSearch from "minisearch";

export interface Passage {
  doc: string;
  heading: string;
  text: string;
}

export type Search = (question: string) => Passage[];

const BEST_COUNT = 3;
const QUOTE_LENGTH = 700;
const MAX_QUESTION_LENGTH = 2_000;
/** "hello", "what can you do?": so few and common words that nothing is found get the introduction. */
const GREETING_WORDS = 5;
const INTRODUCTION = /^what can you do\b/i;
const STOP_WORDS = new Set(
  "a an and are as at be by can do does for from how i in is it me my of on or that the this to was what when where which who why will with you your".split(
    " ",
  ),
);

/** An index over the passages; made once, in milliseconds. */
export function searchOf(passages: readonly Passage[]): Search {
  const index = new MiniSearch<Passage & { id: number }>({
    fields: ["heading", "text", "doc"],
    processTerm: (term) => (STOP_WORDS.has(term.toLowerCase()) ? null : term.toLowerCase()),
    searchOptions: {
      boost: { heading: 3, doc: 2 },
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    },
  });
  index.addAll(passages.map((passage, id) => ({ ...passage, id })));
  const best = (words: string): Passage[] =>
    index
      .search(words)
      .slice(0, BEST_COUNT)
      .flatMap((hit) => passages[Number(hit.id)] ?? []);
  return (question) => {
    const found = best(question.slice(0, MAX_QUESTION_LENGTH));
    const isGreeting = question.trim().split(/\s+/).length <= GREETING_WORDS;
    return found.length === 0 && isGreeting ? passages.filter(({ heading }) => INTRODUCTION.test(heading)) : found;
  };
}

function quote(passage: Passage): string {
  const cut =
    passage.text.length > QUOTE_LENGTH
      ? `${passage.text.slice(0, QUOTE_LENGTH).replace(/\s+\S*$/, "")} …`
      : passage.text;
  // A fence cut open would swallow the rest of the answer.
  const closed = (cut.match(/^```/gm)?.length ?? 0) % 2 === 1 ? `${cut}\n\`\`\`` : cut;
  const quoted = closed
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
  return `**${passage.doc}**, “${passage.heading}”:\n\n${quoted}`;
}

const HOW_TO_CONNECT = [
  "To talk to a model, set one of these before you start Mosaic, and restart:",
  "",
  "- `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `OPENROUTER_API_KEY` or `ZAI_API_KEY` to a key of that vendor",
  "- `OLLAMA_BASE_URL` to a running Ollama, for example `http://127.0.0.1:11434`",
].join("\n");

/** The whole answer in Markdown. `failures` are sentences on what was tried before. */
export function answerQuestion(question: string, failures: readonly string[], search: Search): string {
  const found = search(question);
  const why = failures.length > 0 ? "none of the configured models could be reached" : "no model is connected";
  return [
    `I am Mosaic's built-in guide, not a language model: ${why}, so I can only quote this project's own documentation.`,
    ...(failures.length > 0 ? [`What was tried:\n\n${failures.map((failure) => `- ${failure}`).join("\n")}`] : []),
    ...(found.length > 0
      ? ["This fits your question best:", ...found.map(quote)]
      : ["I found nothing in the documentation that fits your question."]),
    HOW_TO_CONNECT,
  ].join("\n\n");
}
