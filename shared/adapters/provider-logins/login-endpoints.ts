import { ConnectableKind } from "../../contract/provider.ts";
import {
  isBuiltInDevice,
  type ProviderLoginSettings,
  type VendorLogin,
} from "../../contract/provider-login-settings.ts";
import type { LoginEndpoints } from "../../ports/login-endpoints.ts";
import { VENDORS } from "../providers/vendors.ts";
import { type FlowDeps, type LoginFlow, noSuchStep } from "./login-flow.ts";
import { createOAuthFlow } from "./oauth-flow.ts";
import { createOpenAiDeviceFlow } from "./openai-device-flow.ts";
import { createOpenRouterFlow } from "./openrouter-flow.ts";
import type { Fetch } from "./vendor-fetch.ts";

interface Deps {
  /** `PROVIDER_LOGINS`. */
  logins: ProviderLoginSettings | undefined;
  /** Reaches whatever the operator names. */
  fetch: Fetch;
  now: () => Date;
}

function flowOf(login: VendorLogin | undefined, deps: FlowDeps): LoginFlow | null {
  if (deps.kind === "openrouter" && login?.clientId === undefined) return createOpenRouterFlow(login, deps);
  if (!login) return null;
  return isBuiltInDevice(deps.kind, login) ? createOpenAiDeviceFlow(login, deps) : createOAuthFlow(login, deps);
}

/** The vendors at which one can log in here: OpenRouter, and those that the operator has set up. */
export function createLoginEndpoints({ logins = {}, fetch, now }: Deps): LoginEndpoints {
  const vendorName = (kind: ConnectableKind): string => VENDORS[kind].name;
  const flows = new Map<ConnectableKind, LoginFlow>();
  for (const kind of ConnectableKind.options) {
    const flow = flowOf(logins[kind], { kind, vendor: vendorName(kind), fetch, now: () => now().getTime() });
    if (flow) flows.set(kind, flow);
  }
  const gone = (kind: ConnectableKind) => noSuchStep(vendorName(kind));
  return {
    kinds: () => [...flows].map(([kind, { method }]) => ({ kind, method })),
    vendorName,
    baseUrl: (kind) => logins[kind]?.baseUrl ?? null,
    begin: async (kind, redirect) => (await flows.get(kind)?.begin(redirect)) ?? null,
    exchange: async (kind, redirect, pending) => (await flows.get(kind)?.exchange(redirect, pending)) ?? gone(kind),
    poll: async (kind, pending) => (await flows.get(kind)?.poll(pending)) ?? gone(kind),
    refresh: async (kind, tokens) => (await flows.get(kind)?.refresh(tokens)) ?? gone(kind),
    revoke: async (kind, tokens) => (await flows.get(kind)?.revoke(tokens)) ?? true,
  };
}
