import { ApiError } from "../../shared/client/api-error.ts";
import { CLOSE } from "../../shared/contract/frames.ts";
import type { Server } from "./open-conversation.ts";

/** Why the server closed for good, and with which code. */
export interface Closed {
  code: number;
  reason: string;
}

export const signInEnded = (url: string): ApiError =>
  new ApiError({ code: "expired", message: `Your sign-in at ${url} has ended. Run \`npx mosaic login\` again.` });

/**
 * What a person is told. An ended sign-in and a withdrawn conversation close alike, since the server closes what the
 * credential had opened; only asking with it shows which it was.
 */
export async function whyClosed({ url, api }: Pick<Server, "url" | "api">, closed: Closed): Promise<ApiError> {
  if (closed.code === CLOSE.unauthenticated) return signInEnded(url);
  if (closed.code === CLOSE.revoked) {
    try {
      await api.me();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return signInEnded(url);
    }
  }
  return new ApiError({ code: "network", message: closed.reason });
}
