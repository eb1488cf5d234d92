import { connectorProblem } from "../../contract/connector-problem.ts";
import { CONNECTOR_HEADERS, type ConnectorGateway, type ConnectorObject } from "../../ports/connector-gateway.ts";

interface Deps {
  connector(id: string): ConnectorObject;
}

const UNREACHABLE = "The machine cannot be asked right now; try again in a moment.";

/** Asks the object that the machine dialled into. */
export function createConnectorGateway({ connector }: Deps): ConnectorGateway {
  return {
    fetch: async (target, request) => {
      const headers = new Headers(request.headers);
      headers.set(CONNECTOR_HEADERS.target, encodeURIComponent(JSON.stringify(target)));
      try {
        return await connector(target.connectorId).fetch(new Request(request, { headers }));
      } catch (error) {
        if (request.signal.aborted) throw error;
        const problem = connectorProblem("connector_offline", UNREACHABLE);
        return new Response(problem.body, { status: problem.status, headers: problem.headers });
      }
    },
    end: (connectorId) => connector(connectorId).forget(),
  };
}
