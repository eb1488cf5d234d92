import * as z from "zod";
import { defineOpenRoute } from "../route.ts";

export const getLive = defineOpenRoute({
  method: "get",
  path: "/health/live",
  operationId: "getLive",
  summary: "Whether the process answers",
  tag: "health",
  signIn: "none",
  answer: { status: 200, description: "It does.", body: z.object({ status: z.literal("live") }) },
  handle: async () => ({ status: "live" as const }),
});
