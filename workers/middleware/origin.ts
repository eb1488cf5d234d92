import type { Settings } from "../../shared/contract/settings.ts";
import { AppError } from "../../shared/domain/app-error.ts";

type Origins = Pick<Settings, "PUBLIC_URL" | "ALLOWED_ORIGINS">;

/** Whether pages of this origin belong to the instance: `PUBLIC_URL` and `ALLOWED_ORIGINS`. */
export const isAllowedOrigin = (settings: Origins, origin: string): boolean =>
  origin === new URL(settings.PUBLIC_URL).origin || settings.ALLOWED_ORIGINS.includes(origin);

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

const refuse = (settings: Origins, origin: string): AppError =>
  new AppError(
    "forbidden",
    `Pages of ${origin.slice(0, 200)} may not act with this sign-in; use ${settings.PUBLIC_URL}, or have the operator add the origin to ALLOWED_ORIGINS.`,
  );

/**
 * Keeps other sites from acting with a visitor's cookie. A browser names its origin with every write and upgrade; what
 * sends a cookie without one is no browser page, which may write but not open a socket.
 * @throws AppError `forbidden`.
 */
export function checkOrigin(settings: Origins, request: Request, options: { upgrade: boolean }): void {
  const origin = request.headers.get("origin");
  if (options.upgrade) {
    if (origin === null || !isAllowedOrigin(settings, origin)) throw refuse(settings, origin ?? "an unnamed origin");
    return;
  }
  if (READS.has(request.method)) return;
  if (origin !== null && !isAllowedOrigin(settings, origin)) throw refuse(settings, origin);
  const site = request.headers.get("sec-fetch-site");
  if (origin === null && site !== null && site !== "same-origin" && site !== "none") {
    throw refuse(settings, "another site");
  }
}
