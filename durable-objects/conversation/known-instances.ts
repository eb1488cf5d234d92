import type { TurnConfiguration } from "../../shared/ports/conversation-store.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import type { Room } from "./room.ts";

/** What a configuration lets its reader use. Waits only for those that nobody ever asked, and that long at most. */
export async function knownInstances(
  { providers, health }: Pick<Room["services"], "providers" | "health">,
  configuration: TurnConfiguration | null,
  deadlineMs: number,
): Promise<ProviderInstance[]> {
  const instances = providers.instances(configuration);
  if (instances.every(({ models }) => models.length > 0)) return instances;
  await health.firstLook(configuration, deadlineMs);
  return providers.instances(configuration);
}
