import * as z from "zod";
import { Problem } from "../../shared/contract/errors.ts";
import type { Services } from "../../shared/runtime/services.ts";
import { createApp } from "../app.ts";
import { MemoryObject } from "./memory-object.ts";
import { memoryServices } from "./memory-services.ts";

export interface Ask {
  method?: string;
  /** Sent as JSON unless it is a string, which goes as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** `alice` by default; null asks as nobody. */
  as?: string | null;
}

/** The real edge over stores and objects in memory. */
export function memoryEdge(replace: Partial<Services> = {}) {
  const { services, rows, deletedUsers, stored, ended, forgotten } = memoryServices();
  const objects = new Map<string, MemoryObject>();
  const object = (id: string): MemoryObject => {
    const known = objects.get(id) ?? new MemoryObject((gone) => rows.delete(gone));
    objects.set(id, known);
    return known;
  };
  const app = createApp({
    services: () => ({ ...services, ...replace }),
    conversation: (_env: object, id) => object(id),
    connector: () => {
      throw new Error("no machine dials in here");
    },
  });
  const env = {};

  const ask = (path: string, { method = "GET", body, headers = {}, as = "alice" }: Ask = {}): Promise<Response> =>
    app.fetch(
      new Request(`https://mosaic.test${path}`, {
        method,
        headers: {
          ...(as === null ? {} : { authorization: `Bearer ${as}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
      env,
    );

  const create = async (as = "alice"): Promise<string> => {
    const response = await ask("/api/conversations", { method: "POST", body: {}, as });
    return z.object({ id: z.string() }).parse(await response.json()).id;
  };
  return {
    ask,
    create,
    object,
    rows,
    deletedUsers,
    stored,
    ended,
    forgotten,
    fetch: (request: Request) => app.fetch(request, env),
  };
}

/** The problem in an answer; fails the test where it is none. */
export async function problemIn(response: Response): Promise<z.infer<typeof Problem>> {
  if (response.headers.get("content-type") !== "application/problem+json") {
    throw new Error(`${response.status} is no problem+json: ${await response.text()}`);
  }
  return Problem.parse(await response.json());
}
