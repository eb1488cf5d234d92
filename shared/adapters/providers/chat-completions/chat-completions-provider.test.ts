import { describeProviderContract } from "../../../testing/providers/contract-suite.ts";
import { CHAT_WIRE } from "../../../testing/providers/vendor-wires.ts";
import { createChatCompletionsProvider } from "./chat-completions-provider.ts";
import { OPENROUTER, ZAI } from "./chat-vendor.ts";

const secret = "or-v1-0123456789abcdef";

describeProviderContract({
  name: "OpenRouter",
  create: (url) => createChatCompletionsProvider(OPENROUTER, { apiKey: secret, baseUrl: `${url}/api/v1`, fetch }),
  wire: CHAT_WIRE,
  model: "anthropic/claude-sonnet-4.6",
  secret,
});

describeProviderContract({
  name: "Z.ai",
  create: (url) => createChatCompletionsProvider(ZAI, { apiKey: secret, baseUrl: `${url}/api/paas/v4`, fetch }),
  wire: CHAT_WIRE,
  model: "glm-5",
  secret,
});
