import { type ConnectorProblem, connectorProblem } from "../../shared/contract/connector-problem.ts";

/** An answer of the connector's own. */
export function answer(
  code: ConnectorProblem,
  detail: string,
  about: { machine?: string; isFinal?: boolean } = {},
): Response {
  const { status, headers, body } = connectorProblem(code, detail, about);
  return new Response(body, { status, headers });
}

export const offline = (name: string): Response =>
  answer("connector_offline", `The machine "${name}" is not connected; start \`npx mosaic connect\` on it.`, {
    machine: name,
  });

/** Whoever is waiting when the connection breaks. */
export const wentAway = (name: string): Response =>
  answer("connector_offline", `The machine "${name}" went away; start \`npx mosaic connect\` on it again.`, {
    machine: name,
  });

/** Whoever asks for a machine that is not theirs, or is none. */
export const unknownMachine = (): Response =>
  answer("connector_offline", "This machine is not connected to Mosaic any more; choose another provider.", {
    isFinal: true,
  });
