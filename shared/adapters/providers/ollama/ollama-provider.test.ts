import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { OLLAMA_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { createOllamaProvider } from "./ollama-provider.ts";

describeProviderContract({
  name: "Ollama",
  create: (url) => createOllamaProvider({ baseUrl: url, fetch }),
  wire: OLLAMA_WIRE,
  model: "m",
  secret: "ollama-has-no-key-to-show",
  // Its Ollama gives thinking the wrong field, no counts and no reason but `stop`: ours below has them.
  peerLacks: ["thinking", "usage", "finish"],
  beside: { "/api/show": { model_info: { "llama.context_length": 16_384 }, capabilities: ["completion", "tools"] } },
});
