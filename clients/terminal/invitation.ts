import type { Server } from "./open-conversation.ts";

/** How to connect a model, where nothing but the built-in guide answers; null elsewhere, and where nobody can tell. */
export async function invitation({ api }: Pick<Server, "api">): Promise<string | null> {
  const models = await api.models.list().catch(() => null);
  if (models === null || models.some(({ provider }) => provider !== "guide")) return null;
  return "No language model is connected yet. To connect one: npx mosaic providers add <kind>";
}
