import type { Services } from "../../../shared/runtime/services.ts";

/** Stands for the composition root: a simulated object brings its services in its environment. */
export const servicesFor = (env: { services: Services }): Services => env.services;
