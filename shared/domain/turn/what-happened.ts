/** Sentences that tell a person what to do; behind a failure that was got over nobody has to. */
const ADVICE = /^(Try again|Wait\b|Choose another|Check the network|Start it there)/;
/** The same, said in the sentence itself. */
const ADVISING_CLAUSE = /; (?:start `|choose another|try again)[^;]*$/;

/** What happened, without the advice behind it: somebody else answers, or the same is asked again by itself. */
export function whatHappened(message: string): string {
  const sentences = message.split(/(?<=[.!?]) (?=[A-Z])/);
  while (sentences.length > 1 && ADVICE.test(sentences.at(-1) ?? "")) sentences.pop();
  const told = sentences.join(" ");
  return ADVISING_CLAUSE.test(told) ? `${told.replace(ADVISING_CLAUSE, "")}.` : told;
}
