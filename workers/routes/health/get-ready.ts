import type * as z from "zod";
import { Health } from "../../../shared/contract/model.ts";
import type { Services } from "../../../shared/runtime/services.ts";
import type { Rooms } from "../../edge.ts";
import { defineOpenRoute } from "../route.ts";

type Check = z.infer<typeof Health>["checks"][number];

function openServices(rooms: Rooms): Services | null {
  try {
    return rooms.services();
  } catch {
    return null;
  }
}

async function checkProviders(services: Services): Promise<Check> {
  // The operator's own: what people connected for themselves is theirs to look after.
  const models = await services.health.of(services.providers.environment());
  if (models.length === 0) {
    return {
      name: "providers",
      ok: true,
      detail: "The environment sets no model provider; people connect their own, and the built-in guide answers.",
    };
  }
  const down = models.filter((provider) => provider.state === "down").map((provider) => provider.displayName);
  if (down.length === 0) return { name: "providers", ok: true, detail: `${models.length} connected.` };
  return { name: "providers", ok: false, detail: `Down: ${down.join(", ")}.` };
}

async function readiness(rooms: Rooms): Promise<z.infer<typeof Health>> {
  const services = openServices(rooms);
  if (!services) {
    const detail = "The Worker's configuration is incomplete; its log names the variables.";
    return { status: "unready", checks: [{ name: "configuration", ok: false, detail }] };
  }
  const [checked, providers] = await Promise.all([services.checkDatabase(), checkProviders(services)]);
  const database = { name: "database", ...checked };
  const status = !database.ok ? "unready" : providers.ok ? "ready" : "degraded";
  return { status, checks: [database, providers] };
}

export const getReady = defineOpenRoute({
  method: "get",
  path: "/health/ready",
  operationId: "getReady",
  summary: "Whether requests can be served; 503 when not",
  tag: "health",
  signIn: "none",
  errors: ["database_unavailable"],
  answer: { status: 200, description: "Ready, or degraded but serving.", body: Health },
  handle: async ({ rooms }) => {
    const health = await readiness(rooms);
    return health.status === "unready" ? Response.json(health, { status: 503 }) : health;
  },
});
