import { type ConnectorProblem, connectorProblem } from "../../shared/contract/connector-problem.ts";

/** An answer of the connector's own. */
export function answer(code: ConnectorProblem, detail: string, machine?: string): Response {
  const { status, headers, body } = connectorProblem(code, detail, machine);
  return new Response(body, { status, headers });
}

export const offline = (name: string): Response =>
  answer("connector_offline", `The machine "${name}" is not connected; start \`mosaic connect\` on it.`, name);

/** Whoever asks for a machine that is not theirs, or is none. */
export const unknownMachine = (): Response =>
  answer("connector_offline", "This machine is not connected to Mosaic any more; choose another provider.");
