import type { SealedCredential } from "./provider-record.ts";

/** Clocks differ, and a request takes a while: a token that ends within this is not used any more. */
const MARGIN_MS = 60_000;

/** Whether a credential can be used as it is; one without an end always can. */
export const isFresh = ({ expiresAtMs }: Pick<SealedCredential, "expiresAtMs">, nowMs: number): boolean =>
  expiresAtMs === null || expiresAtMs - MARGIN_MS > nowMs;
