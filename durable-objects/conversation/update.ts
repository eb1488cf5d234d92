import type { Conversation, UpdateConversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import type { ConversationEvent } from "../../shared/contract/events.ts";
import { covers, rightOf } from "../../shared/domain/access/authorise.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, fail, ok } from "../../shared/domain/app-error.ts";
import { namedCandidate } from "../../shared/domain/routing/choose-model.ts";
import type { PinnedModel } from "./pinned-model.ts";
import { publish, type Room } from "./room.ts";
import { broadcastSession } from "./session-info.ts";

/** Runs what needs Postgres now, and turns its failure into an answer. */
export async function asResult<Value>(work: () => Promise<Result<Value>>): Promise<Result<Value>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) return { ok: false, error: error.toPublic() };
    console.error(error);
    return fail("internal", "Something went wrong inside Mosaic; try again.");
  }
}

/**
 * Changes that others must read at once: Postgres first, in the request, then the log and everyone attached. Who shares
 * it or takes that back must own it.
 */
export function updateConversation(
  room: Room,
  principal: Principal,
  changes: UpdateConversation,
  ifVersion?: number,
): Promise<Result<Conversation>> {
  return asResult(async () => {
    const { journal, services, sessions } = room;
    if (changes.visibility !== undefined && rightOf(principal, journal.born) !== "own") {
      return fail("forbidden", "Only its owner can share a conversation or take that back.");
    }
    const pin = typeof changes.model === "string" ? await findPin(room, changes.model) : null;
    if (pin && !pin.ok) return pin;
    const wanted = {
      ...(changes.title === undefined ? {} : { title: changes.title }),
      ...(changes.visibility === undefined ? {} : { visibility: changes.visibility }),
      ...(changes.model === undefined ? {} : { model: pin?.value.id ?? null }),
    };
    const stored = await services.conversations.update({ userId: principal.userId }, room.id, wanted, ifVersion);
    if (!stored || !journal.conversation) return fail("not_found", "There is no such conversation.");
    const before = journal.born;
    if (stored.version <= before.version) return ok(before); // a later change was quicker and stands
    const events: ConversationEvent[] = [];
    if (changes.title !== undefined && stored.title !== before.title)
      events.push({ type: "title:changed", title: stored.title });
    if (changes.model !== undefined && stored.model !== before.model)
      events.push({ type: "model:switched", model: stored.model, pinned: stored.model !== null });
    const logged = journal.transact(() => {
      const appended = journal.append(...events);
      if (pin) journal.setMeta("pinned", JSON.stringify(pin.value));
      journal.saveConversation({
        ...journal.born,
        visibility: stored.visibility,
        version: stored.version,
        updatedAt: stored.updatedAt,
      });
      return appended;
    });
    publish(room, logged);
    sessions.close(
      (each) =>
        !covers(
          rightOf({ userId: each.userId, workspaces: [{ id: each.workspaceId, role: each.role }] }, journal.born),
          "read",
        ),
      4003,
      "this conversation is no longer shared",
    );
    broadcastSession(room);
    return ok(journal.born);
  });
}

/** Providers are read from memory; only the first look after a start may wait for them. */
const PROBE_DEADLINE_MS = 3_000;

/** The model a person means, under the vendor's own name. */
async function findPin({ services }: Room, name: string): Promise<Result<PinnedModel>> {
  const found = namedCandidate(name, await services.providers.instances(PROBE_DEADLINE_MS));
  if (!("nearest" in found)) {
    const { id, contextWindow } = found.model;
    return ok({ provider: found.kind, id, contextWindow });
  }
  const hint =
    found.nearest.length > 0 ? `Did you mean ${found.nearest.join(" or ")}?` : "/models lists what can be reached.";
  const message = `No provider here has a model "${name}". ${hint}`;
  return { ok: false, error: { code: "invalid_request", message, errors: [{ path: "model", message }] } };
}
