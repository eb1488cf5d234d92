import * as z from "zod";
import { isSafeAddress } from "../../contract/provider-login-settings.ts";
import { abortAfter } from "../abort-after.ts";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** An answer of a login endpoint is some hundred bytes; tokens may be a few thousand. */
const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

/** The vendor did not answer in a way that means anything. `what` ends the sentence "OpenAI's login …". */
export class NoAnswer extends Error {
  readonly retryAfterMs: number | undefined;
  /** The same request fails again: it goes to the wrong place. */
  readonly isFinal: boolean;
  readonly status: number | undefined;
  constructor(
    what: string,
    more: { isFinal?: boolean; retryAfterMs?: number | undefined; status?: number | undefined } = {},
  ) {
    super(what);
    this.name = "NoAnswer";
    this.isFinal = more.isFinal ?? false;
    this.retryAfterMs = more.retryAfterMs;
    this.status = more.status;
  }
}

async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    bytes += chunk.value.byteLength;
    if (bytes > MAX_BYTES) {
      await reader.cancel();
      throw new NoAnswer("answered with far more than a login takes");
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}

const Body = z.looseObject({ error: z.unknown().optional(), access_token: z.unknown().optional() });
const NestedError = z.looseObject({ code: z.string(), message: z.string().optional() });

function bodyOf(text: string, status: number): z.infer<typeof Body> {
  try {
    const parsed = Body.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (status >= 400) throw new NoAnswer(`refused the request (${status})`, { isFinal: true, status });
  throw new NoAnswer("answered with something else than a login's answer");
}

/**
 * The answer as the standard has it. Some vendors say their errors with a 200, some put them into an object. Who the
 * user is does not matter here: an id token is dropped unread, and with it the need to check one.
 */
function normalise(response: Response, text: string): Response {
  const { id_token: _unread, ...body } = bodyOf(text, response.status);
  const nested = NestedError.safeParse(body.error);
  if (nested.success) Object.assign(body, { error: nested.data.code, error_description: nested.data.message });
  const isRefusal = response.status === 200 && typeof body.error === "string" && body.access_token === undefined;
  return Response.json(body, { status: isRefusal ? 400 : response.status });
}

function retryAfterMsOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 600) * 1000 : undefined;
}

/** Only the origin that was asked is told: another one may have what was sent in its name. */
function pointedTo(location: string | null, asked: string): string {
  const { origin } = new URL(asked);
  const isSame = location !== null && URL.canParse(location, asked) && new URL(location, asked).origin === origin;
  return isSame ? origin : "another address";
}

interface Ask {
  fetch: Fetch;
  /** Whether a success says something. */
  reads: boolean;
}

async function askVendor({ fetch, reads }: Ask, url: string, init: RequestInit, signal: AbortSignal) {
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: "manual", signal });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const to = pointedTo(response.headers.get("location"), url);
      throw new NoAnswer(`answered with a redirect to ${to}, which is not followed`, { isFinal: true });
    }
    if (response.status === 429 || response.status >= 500) {
      await response.body?.cancel();
      throw new NoAnswer(`is overloaded or out of order (${response.status})`, {
        retryAfterMs: retryAfterMsOf(response),
      });
    }
    const text = await readText(response);
    return response.ok && !reads ? new Response(null) : normalise(response, text);
  } catch (error) {
    if (error instanceof NoAnswer) throw error;
    throw new NoAnswer(signal.aborted ? "did not answer in time" : "cannot be reached");
  }
}

/**
 * The one way to a vendor's login: one address, no redirects, little to read, not for long. Never retries.
 * @throws NoAnswer
 */
export const vendorFetch =
  (fetch: Fetch, { reads } = { reads: true }): Fetch =>
  async (url, init) => {
    if (!URL.canParse(url) || !isSafeAddress(new URL(url)))
      throw new NoAnswer("names an address that is not https", { isFinal: true });
    return await abortAfter(TIMEOUT_MS, (signal) => askVendor({ fetch, reads }, url, init, signal));
  };
