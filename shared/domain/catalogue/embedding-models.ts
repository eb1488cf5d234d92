/** How embedding models want to be told what a text is for. Data from the models' own cards; most want nothing. */

export type EmbeddingPurpose = "document" | "query";

interface Prefixes {
  /** Found anywhere in a model's id, whoever serves it and whatever is put around it. */
  family: RegExp;
  document: string;
  query: string;
}

const PREFIXES: readonly Prefixes[] = [
  { family: /nomic-embed-text/i, document: "search_document: ", query: "search_query: " },
  {
    family: /mxbai-embed|bge-(small|base|large)-en/i,
    document: "",
    query: "Represent this sentence for searching relevant passages: ",
  },
  { family: /snowflake-arctic-embed2/i, document: "", query: "query: " },
  { family: /\be5-/i, document: "passage: ", query: "query: " },
  { family: /embeddinggemma/i, document: "title: none | text: ", query: "task: search result | query: " },
];

/** A text as its model wants it, told what for. */
export function textFor(model: string, purpose: EmbeddingPurpose, text: string): string {
  const prefixes = PREFIXES.find(({ family }) => family.test(model));
  return prefixes ? `${prefixes[purpose]}${text}` : text;
}

/** Names that say of themselves that they embed, where a list says nothing of abilities. */
export const looksLikeEmbedding = (id: string): boolean => /embed|bge-|\be5-|gte-|minilm/i.test(id);

/** What a vendor embeds with when it does not have the model that is wished for. */
export const OWN_EMBEDDING_MODELS: Readonly<Record<string, string>> = { openai: "text-embedding-3-small" };

/** Vectors of `nomic-embed-text` and `nomic-embed-text:latest` are the same. */
export const embeddingName = (id: string): string => id.replace(/:latest$/, "");
