/** Sign-in for a program without a browser: RFC 8628 against the device routes of better-auth. */
import * as z from "zod";
import { ApiError, networkError } from "../../shared/client/api-error.ts";
import { plainLine } from "./plain-text.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

const DeviceCode = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string().optional(),
  /** Seconds. */
  expires_in: z.number(),
  interval: z.number().default(5),
});
const DeviceToken = z.object({ access_token: z.string() });
const OAuthError = z.object({ error: z.string(), error_description: z.string().optional() });

export interface DeviceLogin {
  url: string;
  /** Which of Mosaic's programs signs in. */
  clientId: "mosaic-cli" | "mosaic-connector";
  /** Shows a line to the person. */
  say(line: string): void;
  sleep(ms: number): Promise<void>;
  now(): number;
  fetch?: typeof fetch;
}

async function post(login: DeviceLogin, path: string, body: object): Promise<{ status: number; value: unknown }> {
  try {
    const response = await (login.fetch ?? fetch)(`${login.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, value: await response.json().catch(() => null) };
  } catch {
    throw networkError(login.url);
  }
}

function refused(status: number, value: unknown): ApiError {
  const parsed = OAuthError.safeParse(value);
  const reasons: Record<string, string> = {
    access_denied: "The sign-in was refused in the browser.",
    expired_token: "The code has expired; run the command again.",
  };
  const told = parsed.success ? (reasons[parsed.data.error] ?? parsed.data.error_description) : undefined;
  const message = told ?? `Signing in is not possible here: the server answered with status ${status}.`;
  return new ApiError({ code: "unauthenticated", message: plainLine(message), status });
}

/** What the poll says: a token, or how much longer to wait between polls. */
async function poll(login: DeviceLogin, deviceCode: string): Promise<{ token: string } | { slowerByMs: number }> {
  const body = { grant_type: GRANT, device_code: deviceCode, client_id: login.clientId };
  const { status, value } = await post(login, "/api/auth/device/token", body);
  const token = DeviceToken.safeParse(value);
  if (status === 200 && token.success) return { token: token.data.access_token };
  const error = OAuthError.safeParse(value);
  if (error.success && error.data.error === "authorization_pending") return { slowerByMs: 0 };
  if (status === 429 || (error.success && error.data.error === "slow_down")) return { slowerByMs: 5000 };
  throw refused(status, value);
}

/** Shows address and code, waits for the approval and answers the token. Throws ApiError when it does not come. */
export async function deviceLogin(login: DeviceLogin): Promise<string> {
  const { status, value } = await post(login, "/api/auth/device/code", { client_id: login.clientId });
  const parsed = DeviceCode.safeParse(value);
  if (status !== 200 || !parsed.success) throw refused(status, value);
  const code = parsed.data;
  const address = (path: string): string => plainLine(URL.parse(path, login.url)?.href ?? path);
  login.say(`To sign in, open ${address(code.verification_uri_complete ?? code.verification_uri)}`);
  login.say(`and confirm the code ${plainLine(code.user_code)}`);
  const endsAt = login.now() + code.expires_in * 1000;
  let waitMs = Math.max(1, code.interval) * 1000;
  while (login.now() < endsAt) {
    await login.sleep(waitMs);
    const answer = await poll(login, code.device_code).catch((error: unknown) => {
      // The server may be restarting; the code stays good.
      if (error instanceof ApiError && error.code === "network") return { slowerByMs: 0 };
      throw error;
    });
    if ("token" in answer) return answer.token;
    waitMs += answer.slowerByMs;
  }
  throw refused(400, { error: "expired_token" });
}
