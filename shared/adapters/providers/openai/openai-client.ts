import OpenAI from "openai";
import type { Fetch } from "../watched-fetch.ts";

/** Our own watch ends a request; the SDK's clock must never be the first. */
const NEVER_MS = 2_000_000_000;

/** The SDK with everything off that it would otherwise read from the environment, retry or log. */
export const openAiClient = (settings: {
  apiKey: string;
  baseUrl: string;
  fetch: Fetch;
  headers?: Record<string, string>;
}): OpenAI =>
  new OpenAI({
    apiKey: settings.apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: settings.baseUrl,
    fetch: settings.fetch,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    ...(settings.headers ? { defaultHeaders: settings.headers } : {}),
  });
