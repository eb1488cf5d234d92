/**
 * What a machine shows when it dials in, as `Authorization: Bearer`: a one-time token from `POST /connectors`, or the
 * lasting secret that it made itself and traded that token (or its owner's sign-in) for. Both name their connector, so
 * that its object is found without a database. Only hashes of them are kept anywhere. Beside the lasting secret stands
 * the stamp that the machine was welcomed with: Mosaic's own on the connector's id, so that an invented id wakes nothing.
 */
import * as z from "zod";
import { Id } from "./primitives.ts";

/** Carries the machine's own secret in the dial-in that enrols it. */
export const ENROL_HEADER = "x-mosaic-connector-secret";

const PREFIXES = { token: "mosaic-connect", secret: "mosaic-connector" } as const;

/** 32 random bytes in base64url: nobody guesses it, and nothing in it needs escaping. */
export const ConnectorSecret = z.string().regex(/^[\w-]{43,128}$/);

/** HMAC-SHA-256 in base64url. */
export const ConnectorStamp = z.string().regex(/^[\w-]{43}$/);

const Token = z.tuple([z.literal(PREFIXES.token), Id, ConnectorSecret]);
const Lasting = z.tuple([z.literal(PREFIXES.secret), Id, ConnectorStamp, ConnectorSecret]);

export type ConnectorCredential =
  | { kind: "token"; connectorId: string; secret: string }
  | { kind: "secret"; connectorId: string; stamp: string; secret: string };

export function connectorCredential(credential: ConnectorCredential): string {
  const { kind, connectorId, secret } = credential;
  const words = kind === "token" ? [connectorId, secret] : [connectorId, credential.stamp, secret];
  return [PREFIXES[kind], ...words].join(".");
}

/** @returns null for anything else, such as a session token or an API key */
export function readConnectorCredential(text: string): ConnectorCredential | null {
  const words = text.split(".");
  const token = Token.safeParse(words);
  if (token.success) return { kind: "token", connectorId: token.data[1], secret: token.data[2] };
  const lasting = Lasting.safeParse(words);
  if (!lasting.success) return null;
  const [, connectorId, stamp, secret] = lasting.data;
  return { kind: "secret", connectorId, stamp, secret };
}

/** What is kept in the place of a token or secret: SHA-256 in hex. Both have 256 bits of chance, so no salt is needed. */
export async function hashOfSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
