import { v5 } from "uuid";
import { Id } from "../../../shared/contract/primitives.ts";

/** The namespace of message ids that are made from `Idempotency-Key`s; changing it makes retries send twice. */
const NAMESPACE = "6c0f9d0e-6f0c-4f7e-9a55-4f2f6f9d7a11";

/**
 * The id of a message that came without one: the key where it is a UUID, one made from conversation, sender and
 * key where it is not, so that a retry with the same key is the same message, and nobody else's.
 */
export function messageIdFrom(
  conversationId: string,
  userId: string,
  key: string | undefined,
  newId: () => string,
): string {
  if (key === undefined) return newId();
  const id = Id.safeParse(key);
  return id.success ? id.data : v5(`${conversationId}:${userId}:${key}`, NAMESPACE);
}
