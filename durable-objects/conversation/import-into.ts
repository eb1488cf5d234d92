import * as z from "zod";
import type { Conversation } from "../../shared/contract/conversation.ts";
import type { Result } from "../../shared/contract/errors.ts";
import { LoggedEvent } from "../../shared/contract/events.ts";
import { ok } from "../../shared/domain/app-error.ts";
import { restoreTurn } from "./restore-turn.ts";
import { publish, type Room } from "./room.ts";

/**
 * The first moment of a conversation that was exported elsewhere: its whole log at once or not at all. Everything in it
 * has ended already; Postgres gets it as it gets any other. A second call finds it there.
 */
export function importInto(room: Room, conversation: Conversation, log: Uint8Array): Result<Conversation> {
  const { journal } = room;
  if (journal.conversation && journal.lastSeq > 0) return ok(journal.born);
  const events = z.array(LoggedEvent).parse(JSON.parse(new TextDecoder().decode(log)));
  journal.restore(conversation);
  journal.transact(() => {
    for (const logged of events) {
      journal.replay([logged]);
      restoreTurn(room, logged);
    }
    journal.endRestoring(0);
    // The events are old, the conversation is new.
    journal.saveConversation({ ...journal.born, updatedAt: conversation.updatedAt });
  });
  publish(room, []);
  return ok(journal.born);
}
