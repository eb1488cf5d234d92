import { AppError } from "../../domain/app-error.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 10_000;

/** @throws AppError `provider_failed` unless the service answered 2xx; neither its body nor the mail is repeated. */
export async function postMail(
  fetcher: Fetch,
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<void> {
  let status: number;
  try {
    const response = await fetcher(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    status = response.status;
  } catch (cause) {
    throw new AppError("provider_failed", "The mail service cannot be reached; try again in a moment.", { cause });
  }
  if (status >= 200 && status < 300) return;
  throw new AppError("provider_failed", `The mail service refused the mail with status ${status}.`);
}
