import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { resendLeftovers } from "../../../../shared/client/resend-leftovers.ts";
import { api, meQuery, refreshConversations } from "../app/api.ts";
import { conversationsWithOutbox, pageOutbox, pageStorage } from "./page-outbox.ts";

/** The page has what it needs first. */
const AFTER_MS = 2000;

/** Sends what an earlier page left unsent in other conversations: nobody may ever open those again. */
export function useLeftovers(openConversation: string | null): void {
  const { data: me } = useQuery(meQuery);
  const userId = me?.user.id;
  const isOpen = useRef(openConversation); // it sends its own; once per page, whichever is opened later
  useEffect(() => {
    if (userId === undefined) return;
    const timer = setTimeout(() => {
      const others = conversationsWithOutbox(pageStorage, userId).filter((id) => id !== isOpen.current);
      resendLeftovers(api, others, (id) => pageOutbox(pageStorage, userId, id))
        .then((sent) => (sent > 0 ? refreshConversations() : undefined))
        .catch(() => undefined);
    }, AFTER_MS);
    return () => clearTimeout(timer);
  }, [userId]);
}
