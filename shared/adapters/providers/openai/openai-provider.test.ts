import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { RESPONSES_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { createOpenAiProvider } from "./openai-provider.ts";

const secret = "sk-proj-0123456789abcdef";

describeProviderContract({
  name: "OpenAI",
  create: (url) => createOpenAiProvider({ apiKey: secret, baseUrl: `${url}/v1`, fetch }),
  wire: RESPONSES_WIRE,
  model: "gpt-5.4",
  secret,
});
