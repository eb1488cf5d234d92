import { useCallback, useState } from "react";
import type { ConversationClient } from "../../../../shared/client/conversation-client.ts";
import { sentenceOf } from "../app/api.ts";
import type { CommandEntry } from "./command-results.tsx";

let lastKey = 0;

/** Commands whose effect shows by itself; their answer is shown only when they fail. */
const SELF_EVIDENT = /^\/(retry|stop|rename|model\s)/;

/** Runs commands at the server and keeps what they answered for as long as the page is open. */
export function useCommands(client: ConversationClient | null) {
  const [entries, setEntries] = useState<CommandEntry[]>([]);
  const add = useCallback((command: string, ok: boolean, text: string) => {
    lastKey += 1;
    const entry = { key: lastKey, command, ok, text };
    setEntries((all) => [...all.slice(-4), entry]);
  }, []);
  const run = useCallback(
    async (command: string) => {
      if (!client) return;
      try {
        const { ok, text } = await client.command(command);
        if (!ok || !SELF_EVIDENT.test(command)) add(command, ok, text);
      } catch (thrown) {
        add(command, false, sentenceOf(thrown));
      }
    },
    [client, add],
  );
  const dismiss = useCallback((key: number) => setEntries((all) => all.filter((entry) => entry.key !== key)), []);
  return { entries, run, dismiss };
}
