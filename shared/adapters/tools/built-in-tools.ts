/** The tools that every stack has, without a setting or a network. */
import * as z from "zod";
import { errorFromZod } from "../../contract/errors.ts";
import type { HostedTool, ToolHost, ToolOutcome } from "../../ports/tool-host.ts";

interface BuiltInTool extends HostedTool {
  run(input: unknown): ToolOutcome;
}

const CurrentTimeInput = z.strictObject({ timeZone: z.string().max(100).optional() });

const refused = (output: string): ToolOutcome => ({ isError: true, output });

const currentTime = (now: () => Date): BuiltInTool => ({
  name: "current_time",
  description: "The current date and time, in UTC and in a time zone.",
  inputSchema: {
    type: "object",
    properties: { timeZone: { type: "string", description: "IANA name such as Europe/Berlin; UTC where left out." } },
    additionalProperties: false,
  },
  safeToRepeat: true,
  needsApproval: false,
  run(input) {
    const parsed = CurrentTimeInput.safeParse(input ?? {});
    if (!parsed.success) return refused(errorFromZod(parsed.error).message);
    const { timeZone = "UTC" } = parsed.data;
    const at = now();
    try {
      const local = new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "full", timeStyle: "long" }).format(at);
      return { isError: false, output: { timeZone, local, utc: at.toISOString() } };
    } catch {
      return refused(`There is no time zone "${timeZone}"; use an IANA name such as Europe/Berlin.`);
    }
  },
});

export function createBuiltInTools({ now }: { now: () => Date }): ToolHost {
  const tools = new Map([currentTime(now)].map((tool) => [tool.name, tool]));
  return {
    definitions: () => [...tools.values()].map(({ run: _run, ...tool }) => tool),
    async call({ name, input }) {
      return tools.get(name)?.run(input) ?? refused(`There is no tool "${name}" here.`);
    },
  };
}
