/** What the runs found in the code that ships, each in a sentence; told in docs/reliability.md. */
export const BUGS_FOUND: readonly string[] = [
  "Simulator: an idle conversation woke itself every 30 s for ever, because each drain armed the outbox's alarm again.",
  "Simulator's profile: the object read the same few rows of its settings about 140 times in three messages.",
  "Frame fuzz: a frame of a mebibyte of unknown fields was answered by an error of several mebibytes.",
  "Frame fuzz: broken framing of a client read like a crash in the operator's log.",
  "Drain measured: the check for another event at the same position was quadratic, 280 rows a second in a long conversation.",
];
