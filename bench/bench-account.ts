import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const SignedUp = z.object({ token: z.string(), user: z.object({ id: z.string() }) });
const Created = z.object({ id: z.string(), workspaceId: z.string() });

/** An account of its own on a running stack, and what it asks for over REST. */
export class BenchAccount {
  readonly url: string;
  readonly userId: string;
  readonly authorization: { authorization: string };

  private constructor(url: string, { token, user }: z.infer<typeof SignedUp>) {
    this.url = url;
    this.userId = user.id;
    this.authorization = { authorization: `Bearer ${token}` };
  }

  static async signUp(url: string): Promise<BenchAccount> {
    const account = { name: "Bench", email: `${randomUUID()}@example.com`, password: "a long enough password" };
    const response = await fetch(`${url}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: url },
      body: JSON.stringify(account),
    });
    return new BenchAccount(url, SignedUp.parse(await answerOf(response)));
  }

  async createConversation(): Promise<z.infer<typeof Created>> {
    return Created.parse(await this.post("/api/conversations", {}));
  }

  /** @throws Error with the answer's own words unless it is a success */
  async post(path: string, body: object): Promise<unknown> {
    return await this.#send("POST", path, body);
  }

  /** @throws Error as `post` does */
  async patch(path: string, body: object): Promise<unknown> {
    return await this.#send("PATCH", path, body);
  }

  async #send(method: string, path: string, body: object): Promise<unknown> {
    const headers = { "content-type": "application/json", origin: this.url, ...this.authorization };
    const ask = () => fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    let response = await ask();
    // A person may change only so much in a minute; a measurement waits as one that reads the answer does.
    while (response.status === 429) {
      await response.body?.cancel();
      await sleep((Number(response.headers.get("retry-after")) + 1) * 1_000);
      response = await ask();
    }
    return await answerOf(response);
  }

  /** Puts so many events into a conversation that has none, at once; only in the house of the measurements. */
  async seed(conversation: { id: string; workspaceId: string }, messages: number): Promise<void> {
    const { id: conversationId, workspaceId } = conversation;
    await this.post("/api/bench/seed", { userId: this.userId, workspaceId, conversationId, messages });
  }

  socketAddress(conversationId: string): string {
    return `${this.url.replace("http", "ws")}/api/conversations/${conversationId}/socket`;
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
