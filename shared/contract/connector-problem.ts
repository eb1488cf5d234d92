import type { HeaderBlock } from "./connector-frames.ts";
import type { Problem } from "./errors.ts";

/** What a connector answers by itself, in the place of the model server behind it. */
const FACES = {
  forbidden: { status: 403, title: "Forbidden", retryable: false },
  too_large: { status: 413, title: "Too large", retryable: false },
  rate_limited: { status: 429, title: "Too many requests", retryable: true },
  provider_failed: { status: 502, title: "Provider failed", retryable: true },
  connector_offline: { status: 503, title: "Connector offline", retryable: true },
  provider_timeout: { status: 504, title: "Provider timed out", retryable: true },
} as const;

export type ConnectorProblem = keyof typeof FACES;

export interface ProblemAnswer {
  status: number;
  headers: HeaderBlock;
  body: string;
}

/** `detail` is one sentence for a person; `machine` the name of the one it is about; `isFinal`: asking again is of no use. */
export function connectorProblem(
  code: ConnectorProblem,
  detail: string,
  { machine, isFinal = false }: { machine?: string | undefined; isFinal?: boolean } = {},
): ProblemAnswer {
  const problem: Omit<Problem, "requestId"> & { machine?: string } = {
    type: `urn:mosaic:problem:${code}`,
    ...FACES[code],
    ...(isFinal ? { retryable: false } : {}),
    detail,
    code,
    ...(machine === undefined ? {} : { machine }),
  };
  return {
    status: problem.status,
    headers: [["content-type", "application/problem+json"]],
    body: JSON.stringify(problem),
  };
}
