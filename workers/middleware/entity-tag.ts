import { AppError } from "../../shared/domain/app-error.ts";

export const entityTag = (version: number): string => `"${version}"`;

/**
 * The version that `If-Match` asks for; undefined when any will do (absent or `*`).
 * @throws AppError `invalid_request` for anything but one entity tag of ours.
 */
export function readIfMatch(header: string | null): number | undefined {
  if (header === null || header.trim() === "*") return undefined;
  const version = Number(/^\s*(?:W\/)?"(\d{1,9})"\s*$/.exec(header)?.[1] ?? Number.NaN);
  if (Number.isInteger(version) && version > 0) return version;
  const message = 'send the `ETag` of the resource as it came, such as "3"';
  throw new AppError("invalid_request", `\`If-Match\`: ${message}`, { errors: [{ path: "If-Match", message }] });
}
