import { sql } from "drizzle-orm";
import * as z from "zod";
import { BUILT_IN_IDS } from "../../domain/providers/provider-record.ts";
import type { CatalogueModel, ModelFacts, TurnConfiguration } from "../../domain/providers/turn-configuration.ts";
import type { ConfigurationReader, Scope } from "../../ports/conversation-store.ts";
import type { Database } from "./database.ts";
import { CatalogueModels, listedOf, ProviderRecordRow, statusOf } from "./provider-rows.ts";
import { Recent } from "./recent.ts";

const Read = z.object({
  workspace: z
    .object({
      defaultModel: z.string().nullable(),
      defaultProviderId: z.string().nullable(),
      settings: z.record(z.string(), z.unknown()),
    })
    .nullable(),
  providers: z.array(ProviderRecordRow).nullable(),
  status: z
    .array(
      z.object({
        providerId: z.string(),
        health: z.unknown(),
        listVersion: z.number().nullable(),
        listed: z.unknown(),
      }),
    )
    .nullable(),
  catalogueVersion: z.number().nullable(),
  catalogue: z.unknown(),
});
const Rows = z.tuple([z.object({ read: Read })]);

/** How many instances' lists, and how many askers' instances, an isolate remembers. */
const MOST_LISTS = 500;
const MOST_ASKERS = 2_000;

interface Catalogue {
  /** Null: it is empty. */
  version: number | null;
  models: CatalogueModel[];
}

interface List {
  version: number;
  models: ModelFacts[] | null;
}

/** What this isolate has already, so that it need not come again. */
class Known {
  readonly #lists = new Recent<List>(MOST_LISTS);
  /** Which instances somebody was shown last: whose lists they will need again. */
  readonly #shown = new Recent<string[]>(MOST_ASKERS);
  #catalogue: Catalogue = { version: null, models: [] };

  /** As it stands when the question is asked: another answer may come in between. */
  of(asker: string): { versions: string; lists: Map<string, List>; catalogue: Catalogue } {
    const ids = new Set([...Object.values(BUILT_IN_IDS), ...(this.#shown.get(asker) ?? [])]);
    const lists = new Map<string, List>();
    for (const id of ids) {
      const list = this.#lists.get(id);
      if (list) lists.set(id, list);
    }
    const versions = Object.fromEntries([...lists].map(([id, { version }]) => [id, version]));
    return {
      versions: JSON.stringify({ ...versions, catalogue: this.#catalogue.version }),
      lists,
      catalogue: this.#catalogue,
    };
  }

  shows(asker: string, ids: string[]): void {
    this.#shown.set(asker, ids);
  }

  /** Two answers may bring the same version: the first one stays. */
  list(id: string, version: number, value: unknown): List {
    const known = this.#lists.get(id);
    if (known?.version === version) return known;
    const list = { version, models: listedOf(value ?? null) };
    this.#lists.set(id, list);
    return list;
  }

  catalogue(version: number, value: unknown): CatalogueModel[] {
    if (this.#catalogue.version !== version) this.#catalogue = { version, models: CatalogueModels.parse(value) };
    return this.#catalogue.models;
  }
}

/**
 * Everything a turn needs to know of settings, in one statement. What seldom changes (lists, catalogue) comes only when it
 * is not the version that this isolate has; as long as it is, the very same arrays come back.
 */
export function createConfigurationReader(database: Database): ConfigurationReader {
  const known = new Known();
  return {
    read: async (scope: Scope, workspaceId: string): Promise<TurnConfiguration> => {
      const asker = `${scope.userId} ${workspaceId}`;
      const had = known.of(asker);
      const { rows } = await database.single(
        sql`select app.turn_configuration(${scope.userId}::uuid, ${workspaceId}::uuid, ${had.versions}::jsonb) as read`,
      );
      const [{ read }] = Rows.parse(rows);
      const status = (read.status ?? []).map(({ listVersion, listed, ...row }) => {
        if (listVersion === null) return statusOf(row, null);
        const own = had.lists.get(row.providerId);
        const list = own?.version === listVersion ? own : known.list(row.providerId, listVersion, listed);
        return statusOf(row, list.models);
      });
      known.shows(
        asker,
        status.map(({ providerId }) => providerId),
      );
      return {
        workspace: read.workspace ?? { defaultModel: null, defaultProviderId: null, settings: {} },
        providers: read.providers ?? [],
        status,
        catalogue:
          catalogueOf(read, had.catalogue) ?? known.catalogue(read.catalogueVersion ?? 0, read.catalogue ?? []),
      };
    },
  };
}

const catalogueOf = ({ catalogueVersion }: z.infer<typeof Read>, had: Catalogue): CatalogueModel[] | null =>
  had.version === catalogueVersion ? had.models : null;
