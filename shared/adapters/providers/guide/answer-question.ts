/** What the guide says: pure, from the passages at hand. */
import MiniSearch, { type SearchResult } from "minisearch";
import { shortenPassage } from "./shorten-passage.ts";

export interface Passage {
  doc: string;
  heading: string;
  text: string;
}

export type Search = (question: string) => Passage[];

const MOST_PASSAGES = 2;
/**
 * A passage fits when it has this part of the question's words, and this score for each of them; the score is in units
 * of ln(1 + number of passages), because a rare word is worth that much.
 */
const FITTING = { words: 0.5, scorePerWord: 0.9 };
/** The second passage must be this good beside the best one. */
const SECOND_BEST = 0.5;
const MAX_QUESTION_LENGTH = 2_000;
/** "hello", "what can you do?": so few and common words that nothing is found get the introduction. */
const GREETING_WORDS = 5;
const INTRODUCTION = /^what can you do\b/i;
const GREETING =
  /^\W*(?:hi|hey|hello|good (?:morning|day|evening)|thanks?|who are you|what can you do|help\W*$|test\W*$)(?!\w)/i;
const STOP_WORDS = new Set(
  "a about an and are as at be by can do does explain for from have how i in is it make many me my need of on or please should tell than that the there this time to want was we what when where which who why will with work works you your".split(
    " ",
  ),
);

const processTerm = (term: string): string | null => {
  const lower = term.toLowerCase();
  return STOP_WORDS.has(lower) ? null : lower;
};

const wordsOf = (question: string): Set<string> =>
  new Set(question.split(/[\n\r\p{Z}\p{P}]+/u).flatMap((word) => (word === "" ? [] : (processTerm(word) ?? []))));

/** What fits well, or nothing: an unfitting quotation is worse than none. */
function fitting(hits: readonly SearchResult[], wordCount: number, passageCount: number): SearchResult[] {
  const least = wordCount * FITTING.scorePerWord * Math.log(1 + passageCount);
  const best = hits[0]?.score ?? 0;
  return hits
    .filter(
      ({ score, queryTerms }) =>
        queryTerms.length >= wordCount * FITTING.words && score >= least && score >= best * SECOND_BEST,
    )
    .slice(0, MOST_PASSAGES);
}

/** An index over the passages; made once, in milliseconds. */
export function searchOf(passages: readonly Passage[]): Search {
  const index = new MiniSearch<Passage & { id: number }>({
    fields: ["heading", "text", "doc"],
    processTerm,
    searchOptions: {
      boost: { heading: 3, doc: 2 },
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false),
    },
  });
  // Examples in code are about anything; what a passage is about stands in its prose.
  const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");
  index.addAll(passages.map((passage, id) => ({ ...passage, text: prose(passage.text), id })));
  return (question) => {
    const words = question.slice(0, MAX_QUESTION_LENGTH);
    const hits = fitting(index.search(words), wordsOf(words).size, passages.length);
    const found = hits.flatMap((hit) => passages[Number(hit.id)] ?? []);
    if (found.length > 0) return found;
    const isGreeting = GREETING.test(question) && question.trim().split(/\s+/).length <= GREETING_WORDS;
    return isGreeting ? passages.filter(({ heading }) => INTRODUCTION.test(heading)).slice(0, 1) : [];
  };
}

function quote(passage: Passage): string {
  const source = `**${passage.doc}**, “${passage.heading}”`;
  const short = shortenPassage(passage.text);
  if (short === "") return `${source}.`;
  const quoted = short
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
  return `${source}:\n\n${quoted}`;
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
  if (failures.length > 0) return afterFailures(failures, found[0]);
  const quotes = found.map(quote);
  return [
    "I am Mosaic's built-in guide, not a language model: no model is connected, so I can only quote this project's own documentation.",
    ...(quotes.length > 0
      ? ["This fits your question best:", ...quotes]
      : ["I found nothing in the documentation that fits your question."]),
    ...(quotes.some((text) => text.includes("ANTHROPIC_API_KEY")) ? [] : [HOW_TO_CONNECT]),
  ].join("\n\n");
}

/** Models are set up already, so what counts is what is wrong with them. */
function afterFailures(failures: readonly string[], best: Passage | undefined): string {
  return [
    "None of the configured models could be reached:",
    failures.map((failure) => `- ${failure}`).join("\n"),
    "Check that the server runs and that its address and your network are right, then ask again with `/retry`.",
    `I am Mosaic's built-in guide, not a language model${best ? "; this is what the documentation says:" : "."}`,
    ...(best ? [quote(best)] : []),
  ].join("\n\n");
}
