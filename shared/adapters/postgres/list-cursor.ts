import * as z from "zod";
import { Id, Timestamp } from "../../contract/primitives.ts";
import { AppError } from "../../domain/app-error.ts";

/** Where a page of a list, newest first, ended. */
interface Place {
  at: string;
  id: string;
}

const Cursor = z.tuple([Timestamp, Id]).transform(([at, id]): Place => ({ at, id }));

/** Opaque to clients, fit for an address. */
export const writeCursor = ({ at, id }: Place): string =>
  btoa(JSON.stringify([at, id]))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** @throws AppError `invalid_request` */
export function readCursor(cursor: string): Place {
  try {
    return Cursor.parse(JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    throw new AppError("invalid_request", "`cursor`: is not one that this list gave out; start again without it.", {
      errors: [{ path: "cursor", message: "is not one that this list gave out" }],
    });
  }
}
