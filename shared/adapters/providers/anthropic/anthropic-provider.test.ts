import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { ANTHROPIC_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { createAnthropicProvider } from "./anthropic-provider.ts";

const secret = "sk-ant-0123456789abcdef";
const model = "claude-sonnet-4-6";

describeProviderContract({
  name: "Anthropic",
  create: (url) => createAnthropicProvider({ apiKey: secret, baseUrl: url, fetch }),
  wire: ANTHROPIC_WIRE,
  model,
  secret,
});
