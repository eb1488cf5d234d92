import type { HostedTool, ToolHost } from "../../../shared/ports/tool-host.ts";
import type { Disk } from "./disk.ts";
import type { Awake } from "./object-host.ts";
import type { Scheduler } from "./scheduler.ts";

const schema = { type: "object", properties: { x: { type: "number" } } };

const TOOLS: readonly HostedTool[] = [
  { name: "look", description: "Reads.", inputSchema: schema, safeToRepeat: true, needsApproval: false },
  { name: "charge", description: "Takes money.", inputSchema: schema, safeToRepeat: false, needsApproval: false },
  { name: "erase", description: "Asks first.", inputSchema: schema, safeToRepeat: false, needsApproval: true },
];

/** Tools that count how often the world felt them: a call has its effect even if the object ends meanwhile. */
export class ScriptedTools {
  readonly #scheduler: Scheduler;
  readonly #disk: Disk;
  /** Executions by tool and call id. */
  readonly executions = new Map<string, number>();

  constructor(scheduler: Scheduler, disk: Disk) {
    this.#scheduler = scheduler;
    this.#disk = disk;
  }

  /** How often a call may run without anybody's word. */
  freeRuns(name: string): number {
    const tool = TOOLS.find((each) => each.name === name);
    if (tool?.safeToRepeat) return Number.POSITIVE_INFINITY;
    return tool?.needsApproval ? 0 : 1;
  }

  hostOf(awake: Awake): ToolHost {
    const { random } = this.#scheduler;
    return {
      definitions: () => [...TOOLS],
      call: ({ callId, name }) =>
        new Promise((resolve) => {
          const end = awake.begin();
          const answer = (): void => {
            end();
            resolve({ output: `did ${name}`, isError: random.chance(0.1) });
          };
          this.#disk.gate(() => {
            this.#scheduler.after(random.between(1, 10), "tool:request", () => {
              const key = `${name} ${callId}`;
              this.executions.set(key, (this.executions.get(key) ?? 0) + 1);
              this.#scheduler.after(random.between(1, 200), "tool:answer", answer, awake.life);
            });
          });
        }),
    };
  }
}
