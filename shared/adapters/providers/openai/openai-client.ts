import OpenAI from "openai";
import type { Fetch } from "../watched-fetch.ts";

/** Our own watch ends a request; the SDK's clock must never be the first. */
const NEVER_MS = 2_000_000_000;

/**
 * The SDK with everything off that it would otherwise read from the environment, retry or log. `headers` sign in; without
 * an `authorization` among them nothing does, as a server without keys wants it.
 */
export const openAiClient = (settings: {
  baseUrl: string;
  fetch: Fetch;
  headers: Readonly<Record<string, string>>;
}): OpenAI =>
  new OpenAI({
    // Demanded; the headers below say what is sent.
    apiKey: "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: settings.baseUrl,
    fetch: settings.fetch,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    defaultHeaders: { authorization: null, ...settings.headers },
  });
