/** Logging in at a vendor from a terminal: an address to open, a code to type there, or the address that comes back. */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../../../shared/client/api-error.ts";
import type { ProviderLogin, StartedLogin } from "../../../shared/contract/provider.ts";
import type { Server } from "../open-conversation.ts";
import { plainLine } from "../plain-text.ts";

const POLL_EVERY_MS = 2000;

function tell({ method, url, userCode }: StartedLogin, say: (line: string) => void): void {
  say(`Open ${plainLine(url)}`);
  if (userCode !== undefined) say(`and type the code ${plainLine(userCode)}`);
  if (method === "redirect")
    say("When the page there is done and this does not go on by itself, paste the address it ended at here:");
}

async function untilEnded({ api }: Server, loginId: string, signal: AbortSignal): Promise<ProviderLogin> {
  for (;;) {
    await sleep(POLL_EVERY_MS, undefined, { signal });
    const login = await api.providers.login(loginId).catch((error: unknown) => {
      // The server may be restarting; what was begun stays good.
      if (error instanceof ApiError && error.retryable) return null;
      throw error;
    });
    if (login !== null && login.state !== "pending") return login;
  }
}

/** Each line that is pasted is tried; a wrong one is told, and the next may be right. */
async function pasted(
  { api }: Server,
  loginId: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<ProviderLogin> {
  const lines = createInterface({ input: process.stdin });
  signal.addEventListener("abort", () => lines.close());
  for await (const line of lines) {
    if (line.trim() === "") continue;
    try {
      const login = await api.providers.finishLogin(loginId, line.trim());
      if (login.state !== "pending") return login;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      say(plainLine(error.message));
    }
  }
  // Nothing more will be pasted; the browser may still come back by itself.
  return await new Promise<never>(() => {});
}

/** @returns the ended login. @throws ApiError when it failed or ran out */
export async function logInThere(
  server: Server,
  started: StartedLogin,
  say: (line: string) => void,
): Promise<ProviderLogin> {
  tell(started, say);
  const done = new AbortController();
  try {
    const ways = [untilEnded(server, started.loginId, done.signal)];
    if (started.method === "redirect") ways.push(pasted(server, started.loginId, say, done.signal));
    const login = await Promise.race(ways);
    if (login.state === "complete") return login;
    const message = login.error ?? "The login did not succeed; start it again.";
    throw new ApiError({ code: "unauthenticated", message });
  } finally {
    done.abort();
    process.stdin.pause();
  }
}
