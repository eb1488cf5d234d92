import { unwrap } from "../../../shared/domain/app-error.ts";
import { defineRoute } from "../route.ts";
import { ownConversations } from "./own-conversations.ts";

export const deleteMe = defineRoute({
  method: "delete",
  path: "/api/me",
  operationId: "deleteMe",
  summary: "Deletes the account with everything it owns; there is no way back",
  tag: "me",
  withoutDatabase: "Deleting an account needs the database, which cannot be reached right now; try again in a moment.",
  answer: { status: 204, description: "Gone." },
  handle: async ({ services, rooms, principal, request }) => {
    const owned: string[] = [];
    // Listed before the first is removed: removing moves the pages.
    for await (const page of ownConversations(services, principal.userId)) owned.push(...page.map(({ id }) => id));
    for (const id of owned) {
      const removed = await rooms.conversation(id).remove(principal);
      if (!removed.ok && removed.error.code !== "not_found") unwrap(removed);
    }
    await services.signIn.deleteUser(principal, request.headers);
    return undefined;
  },
});
