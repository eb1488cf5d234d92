/** The vendors a key connects, in the order in which they are asked. */
const VENDORS = [
  { label: "Anthropic", prefix: "ANTHROPIC" },
  { label: "OpenAI", prefix: "OPENAI" },
  { label: "OpenRouter", prefix: "OPENROUTER" },
  { label: "Z.ai", prefix: "ZAI" },
];

/** Of an address only where it leads: a password or a key may stand in the rest. */
function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`.replace(/\/+$/, "");
}

/**
 * Which models are set up, in one line for the person who starts Mosaic; no key is in it.
 * @param ollamaBaseUrl an address, or `off`
 */
export function modelsLine(env: NodeJS.ProcessEnv, ollamaBaseUrl: string): string {
  const vendors = VENDORS.filter(({ prefix }) => env[`${prefix}_API_KEY`]).map(({ label, prefix }) => {
    const address = env[`${prefix}_BASE_URL`];
    return `${label} (key set${address ? `, ${withoutSecrets(address)}` : ""})`;
  });
  if (ollamaBaseUrl !== "off") vendors.push(`Ollama (${withoutSecrets(ollamaBaseUrl)})`);
  return vendors.length > 0 ? `Models: ${vendors.join("; ")}.` : "Models: none configured; the built-in guide answers.";
}
