import { useCallback, useState } from "react";
import * as z from "zod";
import type { ConversationClient } from "../../../../shared/client/conversation-client.ts";
import { refreshConversations, sentenceOf } from "../app/api.ts";
import type { CommandEntry } from "./command-results.tsx";

/** What `/fork` answers beside its text. */
const Made = z.object({ conversationId: z.string() });

let lastKey = 0;

/** Commands whose effect shows by itself; their answer is shown only when they fail. */
const SELF_EVIDENT = /^\/(retry|stop|rename|model\s)/;

/** Runs commands at the server and keeps what they answered for as long as the page is open. */
export function useCommands(client: ConversationClient | null) {
  const [entries, setEntries] = useState<CommandEntry[]>([]);
  const add = useCallback((answered: Omit<CommandEntry, "key">) => {
    lastKey += 1;
    const entry = { key: lastKey, ...answered };
    setEntries((all) => [...all.slice(-4), entry]);
  }, []);
  const run = useCallback(
    async (command: string) => {
      if (!client) return;
      try {
        const { ok, text, data } = await client.command(command);
        const madeId = Made.safeParse(data).data?.conversationId ?? null;
        if (madeId !== null) void refreshConversations();
        if (!ok || !SELF_EVIDENT.test(command)) add({ command, ok, text, madeId });
      } catch (thrown) {
        add({ command, ok: false, text: sentenceOf(thrown), madeId: null });
      }
    },
    [client, add],
  );
  const dismiss = useCallback((key: number) => setEntries((all) => all.filter((entry) => entry.key !== key)), []);
  return { entries, run, dismiss };
}
