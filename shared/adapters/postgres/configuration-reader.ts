import { sql } from "drizzle-orm";
import * as z from "zod";
import type { TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type { ConfigurationReader, Scope } from "../../ports/conversation-store.ts";
import { Recent } from "../recent.ts";
import type { Database } from "./database.ts";
import { FactsRow, KnownFacts } from "./known-facts.ts";
import { ProviderRecordRow } from "./provider-rows.ts";

const Read = z.object({
  workspace: z
    .object({
      defaultModel: z.string().nullable(),
      defaultProviderId: z.string().nullable(),
      settings: z.record(z.string(), z.unknown()),
    })
    .nullable(),
  providers: z.array(ProviderRecordRow).nullable(),
  ...FactsRow,
});
const Rows = z.tuple([z.object({ read: Read })]);

/** How many askers' instances an isolate remembers. */
const MOST_ASKERS = 2_000;

/**
 * Everything a turn needs to know of settings, in one statement. What seldom changes (lists, catalogue) comes only when it
 * is not the version that this isolate has; as long as it is, the very same arrays come back.
 */
export function createConfigurationReader(database: Database, known = new KnownFacts()): ConfigurationReader {
  /** Which instances somebody was shown last: whose lists they will need again. */
  const shown = new Recent<string[]>(MOST_ASKERS);
  return {
    read: async (scope: Scope, workspaceId: string): Promise<TurnConfiguration> => {
      const asker = `${scope.userId} ${workspaceId}`;
      const had = known.of(shown.get(asker) ?? []);
      const { rows } = await database.single(
        sql`select app.turn_configuration(${scope.userId}::uuid, ${workspaceId}::uuid, ${had.versions}::jsonb) as read`,
      );
      const [{ read }] = Rows.parse(rows);
      const facts = known.complete(had, read);
      shown.set(
        asker,
        facts.status.map(({ providerId }) => providerId),
      );
      return {
        workspace: read.workspace ?? { defaultModel: null, defaultProviderId: null, settings: {} },
        providers: read.providers ?? [],
        ...facts,
      };
    },
  };
}
