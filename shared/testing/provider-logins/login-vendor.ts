/** A vendor with every way to log in: OAuth with rotation, both device shapes, OpenRouter's keys. Strict where vendors are. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import * as z from "zod";

export interface Asked {
  method: string;
  path: string;
  /** The whole address that was asked for. */
  url: string;
  body: Record<string, string>;
  authorization: string | undefined;
}

type Misbehaviour = (response: ServerResponse, asked: Asked) => void;
type Answer = [status: number, body: unknown];

const token = (kind: string): string => `${kind}-${randomBytes(24).toString("base64url")}`;

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  const isJson = request.headers["content-type"]?.includes("json") ?? false;
  const body = isJson ? JSON.parse(text || "{}") : Object.fromEntries(new URLSearchParams(text));
  const { authorization } = request.headers;
  return {
    method: request.method ?? "",
    path: new URL(request.url ?? "/", "http://vendor").pathname,
    url: request.url ?? "/",
    body: z.record(z.string(), z.string()).parse(body),
    authorization,
  };
}

export class LoginVendor {
  readonly asked: Asked[] = [];
  /** Seconds that an access token lasts. */
  lifetime = 3600;
  /** What a device login is told until somebody approves it. */
  device: "authorization_pending" | "slow_down" | "access_denied" | "expired_token" | "approved" =
    "authorization_pending";
  readonly #codes = new Map<string, string>();
  readonly #refresh = new Set<string>();
  readonly #queue: Misbehaviour[] = [];
  readonly #sockets = new Set<Socket>();
  #server: ReturnType<typeof createServer> | undefined;
  url = "";

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      read(request).then(
        (asked) => this.#serve(asked, response),
        () => response.destroy(),
      );
    });
    server.on("connection", (socket) => this.#sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The vendor has no port.");
    this.#server = server;
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** What happens to the next requests instead of an answer, one each. */
  next(...misbehaviours: Misbehaviour[]): void {
    this.#queue.push(...misbehaviours);
  }

  /** Somebody agrees at the page that `url` shows. @returns where the browser is sent */
  approve(url: string): string {
    const { searchParams } = new URL(url);
    const code = token("code");
    this.#codes.set(code, searchParams.get("code_challenge") ?? "");
    const back = new URL(searchParams.get("redirect_uri") ?? searchParams.get("callback_url") ?? "");
    back.searchParams.set("code", code);
    const state = searchParams.get("state");
    if (state !== null) back.searchParams.set("state", state);
    return back.href;
  }

  /** Which refresh tokens are good now. */
  get live(): ReadonlySet<string> {
    return this.#refresh;
  }

  /** A login that took place earlier. */
  grant(): { accessToken: string; refreshToken: string } {
    const refreshToken = token("refresh");
    this.#refresh.add(refreshToken);
    return { accessToken: token("access"), refreshToken };
  }

  count(path: string, grant?: string): number {
    return this.asked.filter((each) => each.path === path && (!grant || each.body.grant_type === grant)).length;
  }

  #serve(asked: Asked, response: ServerResponse): void {
    this.asked.push(asked);
    const misbehave = this.#queue.shift();
    if (misbehave) return misbehave(response, asked);
    if (asked.path === "/authorize" || asked.path === "/auth") {
      response.writeHead(302, { location: this.approve(`${this.url}${asked.url}`) }).end();
      return;
    }
    const [status, body] = this.#answer(asked);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  }

  #answer({ path, body }: Asked): Answer {
    if (path === "/token" || path === "/oauth/token") return this.#token(body, this.lifetime);
    // Over before they are used: every call needs new ones.
    if (path === "/short/token") return this.#token(body, 30);
    if (path === "/asked") return [200, this.asked];
    if (path === "/device")
      return [
        200,
        {
          device_code: "device-code-1",
          user_code: "ABCD-EFGH",
          verification_uri: `${this.url}/activate`,
          expires_in: 600,
          interval: 5,
        },
      ];
    if (path === "/keys")
      return this.#redeem(body)
        ? [200, { key: token("sk-or"), user_id: null }]
        : [403, { error: { code: 403, message: "Invalid code or code_verifier" } }];
    if (path === "/revoke") {
      this.#refresh.delete(body.token ?? "");
      return [200, {}];
    }
    if (path === "/api/accounts/deviceauth/usercode")
      return [200, { device_auth_id: "auth-id", user_code: "WXYZ-1234", interval: "5" }];
    if (path === "/api/accounts/deviceauth/token") return this.#openAiPoll();
    return [404, { error: "not_found" }];
  }

  #openAiPoll(): Answer {
    if (this.device !== "approved") return [403, { error: { message: "not yet", code: "deviceauth_pending" } }];
    const verifier = token("verifier");
    const code = token("code");
    this.#codes.set(code, createHash("sha256").update(verifier).digest("base64url"));
    return [200, { authorization_code: code, code_verifier: verifier, code_challenge: "unused" }];
  }

  #redeem({ code = "", code_verifier: verifier = "" }: Record<string, string>): boolean {
    const challenge = this.#codes.get(code);
    this.#codes.delete(code);
    return challenge !== undefined && createHash("sha256").update(verifier).digest("base64url") === challenge;
  }

  #token(body: Record<string, string>, lifetime: number): Answer {
    if (body.grant_type === "refresh_token") {
      if (!this.#refresh.delete(body.refresh_token ?? ""))
        return [400, { error: "invalid_grant", error_description: "used up" }];
    } else if (body.grant_type === "authorization_code") {
      if (!this.#redeem(body)) return [400, { error: "invalid_grant" }];
    } else if (this.device !== "approved") return [400, { error: this.device }];
    const { accessToken, refreshToken } = this.grant();
    return [
      200,
      {
        access_token: accessToken,
        token_type: "Bearer",
        expires_in: lifetime,
        refresh_token: refreshToken,
        id_token: "not.a.token",
      },
    ];
  }
}

/** Ways in which a vendor answers badly; each must become one sentence. */
export const MISBEHAVIOURS: Record<string, Misbehaviour> = {
  "a page": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<script>alert(1)</script>"),
  "a page with an error": (response) => response.writeHead(500).end("<h1>Oops</h1>"),
  nothing: (response) => response.writeHead(200).end(),
  "half of it": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"access_token": "');
    response.destroy();
  },
  "an array": (response) => response.writeHead(200, { "content-type": "application/json" }).end("[]"),
  "a token of the wrong type": (response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"access_token": 7, "key": 7}'),
  "far too much": (response) =>
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ access_token: "a", token_type: "bearer", key: "k", padding: "x".repeat(2_000_000) })),
  "a closed connection": (response) => response.destroy(),
  "too many requests": (response) => response.writeHead(429, { "retry-after": "1" }).end(),
};
