import { randomBytes } from "node:crypto";

/** Reached by no name on any network; the runtime alone knows it. */
const HOST = "timer.mosaic.invalid";

const SOURCE = `
export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== env.TOKEN) return new Response(null, { status: 404 });
    const { cron, scheduledTime } = await request.json();
    await env.MOSAIC.scheduled({ cron, scheduledTime: new Date(scheduledTime) });
    return new Response(null, { status: 204 });
  },
};
`;

/**
 * A worker beside Mosaic's that hands cron triggers on. Miniflare's own way to a worker's `scheduled` blocks this
 * process until workerd answers, and workerd waits for this process whenever the pipe of its log is full: together they
 * stand still for ever. Whoever reaches the port may reach this worker, hence the token.
 */
export class TimerWorker {
  readonly #token = randomBytes(32).toString("hex");

  /** @param of the name of the worker with the triggers */
  options(of: string): object {
    return {
      name: "timer",
      modules: [{ type: "ESModule", path: "timer.js", contents: SOURCE }],
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["service_binding_extra_handlers"],
      bindings: { TOKEN: this.#token },
      serviceBindings: { MOSAIC: of },
      routes: [`${HOST}/*`],
    };
  }

  /** The request that fires a trigger, for `dispatchFetch`; it answers 204 when the handler is done. */
  trigger(
    cron: string,
    scheduledTime: Date,
  ): [string, { method: string; headers: Record<string, string>; body: string }] {
    const body = JSON.stringify({ cron, scheduledTime: scheduledTime.getTime() });
    return [`http://${HOST}/`, { method: "POST", headers: { authorization: this.#token }, body }];
  }
}
