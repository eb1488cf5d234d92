import { setTimeout as sleep } from "node:timers/promises";
import { createApiClient } from "../../shared/client/api-client.ts";
import { ApiError } from "../../shared/client/api-error.ts";
import { deviceLogin } from "./device-login.ts";
import type { credentialFile } from "./local-files.ts";
import type { Server } from "./open-conversation.ts";
import type { Invocation } from "./parse-arguments.ts";
import { plainLine } from "./plain-text.ts";
import { signInEnded } from "./why-closed.ts";

type Credentials = ReturnType<typeof credentialFile>;

const serverAt = (url: string, token: string): Server => ({
  url,
  token,
  api: createApiClient({ baseUrl: url, token }),
});

/** Signs in with a code and a browser, and keeps the token. */
export async function login(url: string, credentials: Credentials, say: (line: string) => void): Promise<Server> {
  const token = await deviceLogin({
    url,
    clientId: "mosaic-cli",
    say,
    sleep: (ms) => sleep(ms),
    now: () => Date.now(),
  });
  const server = serverAt(url, token);
  const { user } = await server.api.me();
  credentials.save(url, token);
  say(`Signed in at ${url} as ${plainLine(user.name)} <${plainLine(user.email)}>.`);
  return server;
}

/** Nobody can be signed in where nothing answers: that is told first. */
async function notSignedIn(url: string): Promise<ApiError> {
  try {
    await createApiClient({ baseUrl: url }).signInOptions();
  } catch (error) {
    if (error instanceof ApiError && error.status !== 401) return error;
  }
  const message = `You are not signed in at ${url}. Run \`npx mosaic login\` first.`;
  return new ApiError({ code: "unauthenticated", message });
}

/** The server with a token that it accepts; null where the person has to sign in and `canAsk`. Throws ApiError. */
export async function signedIn(
  { url, token }: Invocation,
  credentials: Credentials,
  canAsk: boolean,
): Promise<Server | null> {
  const saved = token ?? credentials.token(url);
  if (saved === undefined) {
    if (canAsk) return null;
    throw await notSignedIn(url);
  }
  const server = serverAt(url, saved);
  try {
    await server.api.me();
    return server;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    if (token !== undefined) {
      throw new ApiError({ code: "unauthenticated", message: `${url} does not accept this token; make a new one.` });
    }
    if (canAsk) return null;
    throw signInEnded(url);
  }
}
