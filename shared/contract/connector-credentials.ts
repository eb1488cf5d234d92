/**
 * What a machine shows when it dials in, as `Authorization: Bearer`: a one-time token from `POST /connectors`, or the
 * lasting secret that it made itself and traded that token (or its owner's sign-in) for. Both name their connector, so
 * that its object is found without a database. Only hashes of them are kept anywhere.
 */
import * as z from "zod";
import { Id } from "./primitives.ts";

/** Carries the machine's own secret in the dial-in that enrols it. */
export const ENROL_HEADER = "x-mosaic-connector-secret";

const PREFIXES = { token: "mosaic-connect", secret: "mosaic-connector" } as const;

/** 32 random bytes in base64url: nobody guesses it, and nothing in it needs escaping. */
export const ConnectorSecret = z.string().regex(/^[\w-]{43,128}$/);

export interface ConnectorCredential {
  kind: keyof typeof PREFIXES;
  connectorId: string;
  secret: string;
}

export const connectorCredential = ({ kind, connectorId, secret }: ConnectorCredential): string =>
  `${PREFIXES[kind]}.${connectorId}.${secret}`;

/** @returns null for anything else, such as a session token or an API key */
export function readConnectorCredential(text: string): ConnectorCredential | null {
  const [prefix, id, secret, ...more] = text.split(".");
  const kind = prefix === PREFIXES.token ? "token" : prefix === PREFIXES.secret ? "secret" : null;
  const parsed = z.tuple([Id, ConnectorSecret]).safeParse([id, secret]);
  if (!kind || !parsed.success || more.length > 0) return null;
  return { kind, connectorId: parsed.data[0], secret: parsed.data[1] };
}

/** What is kept in the place of a token or secret: SHA-256 in hex. Both have 256 bits of chance, so no salt is needed. */
export async function hashOfSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
