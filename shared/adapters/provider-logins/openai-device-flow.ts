import * as z from "zod";
import type { VendorLogin } from "../../contract/provider-login-settings.ts";
import type { Begun, Granted, PendingLogin } from "../../ports/login-endpoints.ts";
import { type FlowDeps, type LoginFlow, noSuchStep } from "./login-flow.ts";
import { refusalOf, troubleOf } from "./login-trouble.ts";
import { createOAuthFlow } from "./oauth-flow.ts";
import { NoAnswer, vendorFetch } from "./vendor-fetch.ts";

const OPENAI_ISSUER = "https://auth.openai.com";
const CODE_LIFETIME_MS = 15 * 60_000;

const UserCode = z.looseObject({
  device_auth_id: z.string().min(1),
  user_code: z.string().min(1),
  /** Seconds, as a number or as text. */
  interval: z.coerce.number().min(1).max(600).catch(5),
});
const Approved = z.looseObject({ authorization_code: z.string().min(1), code_verifier: z.string().min(1) });

/**
 * OpenAI's device login: like RFC 8628, but what is polled for is a code, which is then traded as in a redirect login.
 * The client id is the operator's; nothing here says to be another client.
 */
export function createOpenAiDeviceFlow(login: VendorLogin, deps: FlowDeps, issuer = OPENAI_ISSUER): LoginFlow {
  const { vendor, fetch } = deps;
  const post = vendorFetch(fetch);
  const tokens = createOAuthFlow(
    {
      ...login,
      authorizationUrl: `${issuer}/oauth/authorize`,
      tokenUrl: `${issuer}/oauth/token`,
    },
    deps,
  );
  const ask = async (path: string, body: object): Promise<Response> =>
    await post(`${issuer}/api/accounts/deviceauth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });

  async function begin(): Promise<Begun> {
    const response = await ask("usercode", { client_id: login.clientId });
    if (!response.ok) return refusalOf(vendor, "unauthorized_client");
    const answer = UserCode.safeParse(await response.json());
    if (!answer.success) throw new NoAnswer("answered without a code");
    const { device_auth_id: deviceCode, user_code: userCode, interval } = answer.data;
    return {
      ok: true,
      method: "device",
      url: `${issuer}/codex/device`,
      userCode,
      expiresInMs: CODE_LIFETIME_MS,
      intervalSeconds: interval,
      pending: { deviceCode, userCode },
    };
  }

  async function poll({ deviceCode, userCode }: PendingLogin): Promise<Granted> {
    const response = await ask("token", { device_auth_id: deviceCode, user_code: userCode });
    if (response.status === 403 || response.status === 404) return refusalOf(vendor, "authorization_pending");
    if (!response.ok) return refusalOf(vendor, "access_denied");
    const approved = Approved.safeParse(await response.json());
    if (!approved.success) throw new NoAnswer("answered without a code");
    const { authorization_code: code, code_verifier: verifier } = approved.data;
    const parameters = new URLSearchParams({ code });
    return await tokens.exchange({ uri: `${issuer}/deviceauth/callback`, parameters }, { verifier });
  }

  return {
    method: "device",
    async begin() {
      try {
        return await begin();
      } catch (error) {
        return troubleOf(vendor, error);
      }
    },
    exchange: async () => noSuchStep(vendor),
    async poll(pending) {
      try {
        return await poll(pending);
      } catch (error) {
        const isWaiting = error instanceof NoAnswer && (error.status === 403 || error.status === 404);
        return isWaiting ? refusalOf(vendor, "authorization_pending") : troubleOf(vendor, error);
      }
    },
    refresh: (old) => tokens.refresh(old),
    revoke: (old) => tokens.revoke(old),
  };
}
