import { partsOfModelName } from "../../shared/contract/model.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import type { ProviderInstance } from "../../shared/ports/provider-directory.ts";
import type { CommandResult } from "./command-result.ts";
import { knownInstances } from "./known-instances.ts";
import type { Room } from "./room.ts";
import { sessionInfo } from "./session-info.ts";
import { updateConversation } from "./update.ts";

/** Commands read the providers from memory; only one that nobody ever asked is waited for. */
const PROBE_DEADLINE_MS = 3_000;

async function instancesFor(room: Room, { userId }: Principal): Promise<ProviderInstance[]> {
  const { value } = await room.configuration.read(userId);
  return await knownInstances(room.services, value, PROBE_DEADLINE_MS);
}

/** In words, and why where it is not well. */
function healthOf({ health, trouble }: ProviderInstance): string {
  return trouble ? `${health} since ${trouble.since}: ${trouble.error}` : health;
}

/** `/models`: by provider, what the caller can use, and how it fares. */
export async function listModels(room: Room, principal: Principal): Promise<CommandResult> {
  const instances = await instancesFor(room, principal);
  const lines = instances.flatMap((instance) => [
    ...(instance.trouble ? [`${instance.displayName} is ${healthOf(instance)}`] : []),
    ...instance.models.map((each) => `${each.provider}/${each.id} (${each.tier}, ${each.health})`),
  ]);
  const data = instances.flatMap(({ models }) => models);
  return { ok: true, text: lines.join("\n") || "No model can be reached.", data };
}

/** `/model`: which one is pinned; `/model <name>` pins one, `/model clear` lifts that. */
export async function modelCommand(room: Room, principal: Principal, args: string): Promise<CommandResult> {
  if (args === "") return await pinnedModel(room, principal);
  if (args === "clear") {
    const cleared = await updateConversation(room, principal, { model: null });
    return cleared.ok
      ? { ok: true, text: "No model is pinned any more.", data: { model: null, pinned: false } }
      : { ok: false, text: cleared.error.message };
  }
  const updated = await updateConversation(room, principal, { model: args });
  if (!updated.ok) return { ok: false, text: updated.error.message };
  const { model } = sessionInfo(room);
  return {
    ok: true,
    text: `${model?.id} answers from now on; /model clear lifts it.`,
    data: { model: model?.id, provider: model?.provider, pinned: true },
  };
}

async function pinnedModel(room: Room, principal: Principal): Promise<CommandResult> {
  const { model } = room.journal.born;
  const { provider, id: pinned } = model === null ? { provider: null, id: null } : partsOfModelName(model);
  const used = pinned ?? sessionInfo(room).model?.id ?? null;
  const instances = used === null ? [] : await instancesFor(room, principal);
  const named = instances.filter(({ id }) => id === provider);
  const serving = (named.length > 0 ? named : instances).filter(({ models }) => models.some(({ id }) => id === used));
  const health = serving.map((instance) => `${instance.displayName} is ${healthOf(instance)}`).join(" ");
  const text =
    pinned !== null
      ? `${pinned} is pinned; /model clear lifts it.`
      : "No model is pinned; each message goes to the model that fits.";
  return {
    ok: true,
    text: health === "" ? text : `${text} ${health}${health.endsWith(".") ? "" : "."}`,
    data: { model: pinned, pinned: pinned !== null, health: serving[0]?.health ?? null },
  };
}
