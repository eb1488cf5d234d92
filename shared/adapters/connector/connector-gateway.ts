import { v4 as newToken } from "uuid";
import { connectorProblem } from "../../contract/connector-problem.ts";
import {
  CONNECTOR_DOORS,
  CONNECTOR_HEADERS,
  type ConnectorGateway,
  type ConnectorObject,
  type ConnectorTarget,
  FORWARDED_HEADERS,
} from "../../ports/connector-gateway.ts";

interface Deps {
  connector(id: string): ConnectorObject;
}

const UNREACHABLE = "The machine cannot be asked right now; try again in a moment.";

/** A signal does not cross to an object by itself; once the answer has begun, its body's end does. */
async function ask(object: ConnectorObject, target: ConnectorTarget, request: Request): Promise<Response> {
  const requestId = newToken();
  const headers = new Headers();
  for (const name of FORWARDED_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  headers.set(CONNECTOR_HEADERS.target, encodeURIComponent(JSON.stringify(target)));
  headers.set(CONNECTOR_HEADERS.request, requestId);
  const cancel = (): void => void object.cancel(requestId).catch(() => {});
  request.signal.addEventListener("abort", cancel, { once: true });
  try {
    const { pathname, search } = new URL(request.url);
    const inside = new Request(`${CONNECTOR_DOORS.ask}${pathname}${search}`, request);
    return await object.fetch(new Request(inside, { headers }));
  } finally {
    request.signal.removeEventListener("abort", cancel);
  }
}

/** Asks the object that the machine dialled into. */
export function createConnectorGateway({ connector }: Deps): ConnectorGateway {
  return {
    fetch: async (target, request) => {
      try {
        return await ask(connector(target.connectorId), target, request);
      } catch (error) {
        if (request.signal.aborted) throw error;
        const problem = connectorProblem("connector_offline", UNREACHABLE);
        return new Response(problem.body, { status: problem.status, headers: problem.headers });
      }
    },
    end: (connectorId) => connector(connectorId).forget(),
  };
}
