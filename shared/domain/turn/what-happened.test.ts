import { expect, it } from "vitest";
import { whatHappened } from "./what-happened.ts";

it.each([
  ["OpenAI did not answer in time. Try again, or choose another model.", "OpenAI did not answer in time."],
  [
    "OpenAI limits the rate of requests (429). Wait 5 seconds and try again, or choose another model.",
    "OpenAI limits the rate of requests (429).",
  ],
  ['The machine "attic" went away; start `npx mosaic connect` on it again.', 'The machine "attic" went away.'],
  [
    "Ollama cannot be reached at http://127.0.0.1:11434. Check the network and the address of it.",
    "Ollama cannot be reached at http://127.0.0.1:11434.",
  ],
  [
    "The connection to OpenAI ended before the answer did. Try again.",
    "The connection to OpenAI ended before the answer did.",
  ],
])("of %j only what happened is left where nobody has to do anything", (message, told) => {
  expect(whatHappened(message)).toBe(told);
});

it.each([
  'Anthropic refused the API key (401). Change the key of "Claude" under Settings, Providers.',
  "The account at OpenAI has no credit left. Top it up there, or choose another provider.",
  "Try again.",
])("what its owner has to put right stays: %j", (message) => {
  expect(whatHappened(message)).toBe(message);
});
