import type { Conversation, UpdateConversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import { rightOf } from "../../shared/domain/access/authorise.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError, fail, ok } from "../../shared/domain/app-error.ts";
import { namedCandidate } from "../../shared/domain/routing/choose-model.ts";
import type { ReadConfiguration } from "./configuration.ts";
import { knownInstances } from "./known-instances.ts";
import type { PinnedModel } from "./pinned-model.ts";
import type { Room } from "./room.ts";
import { answered, answerLost, expectChange, isUnsettled, lookAgain } from "./unsettled-change.ts";

const NOT_FOUND = fail("not_found", "There is no such conversation.");

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
    const { journal, services } = room;
    if (changes.visibility !== undefined && rightOf(principal, journal.born) !== "own") {
      return fail("forbidden", "Only its owner can share a conversation or take that back.");
    }
    const pin = typeof changes.model === "string" ? await findPin(room, principal, changes.model) : null;
    if (pin && !pin.ok) return pin;
    const wanted = {
      ...(changes.title === undefined ? {} : { title: changes.title }),
      ...(changes.visibility === undefined ? {} : { visibility: changes.visibility }),
      ...(changes.model === undefined ? {} : { model: pin?.value.pinned.name ?? null }),
    };
    if (isUnsettled(room)) await lookAgain(room);
    if (!journal.conversation) return NOT_FOUND;
    expectChange(room, principal.userId, changes, pin?.value.pinned ?? null);
    let stored: Conversation | null = null;
    try {
      stored = await services.conversations.update({ userId: principal.userId }, room.id, wanted, ifVersion);
    } catch (error) {
      if (error instanceof AppError && error.code === "version_conflict") answered(room, null);
      else answerLost(room);
      throw error;
    }
    answered(room, stored);
    if (!stored || !journal.conversation) return NOT_FOUND;
    // Also without a database from here on, its next turn knows the model.
    if (pin) journal.transact(() => room.configuration.keep(pin.value.read, []));
    return ok(journal.born);
  });
}

/** Providers are read from memory; only one that nobody ever asked is waited for. */
const PROBE_DEADLINE_MS = 3_000;

/** The model a person means, with whose it is. */
async function findPin(
  { services, configuration }: Room,
  { userId }: Principal,
  name: string,
): Promise<Result<{ pinned: PinnedModel; read: ReadConfiguration }>> {
  const read = await configuration.read(userId);
  const found = namedCandidate(name, await knownInstances(services, read.value, PROBE_DEADLINE_MS));
  if (!("nearest" in found)) {
    const { kind, model } = found.candidate;
    const pinned = { name: found.name, provider: kind, id: model.id, contextWindow: model.contextWindow };
    return ok({ pinned, read });
  }
  const hint =
    found.nearest.length > 0 ? `Did you mean ${found.nearest.join(" or ")}?` : "/models lists what can be reached.";
  const message = `No provider here has a model "${name}". ${hint}`;
  return { ok: false, error: { code: "invalid_request", message, errors: [{ path: "model", message }] } };
}
