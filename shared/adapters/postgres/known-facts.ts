import * as z from "zod";
import { BUILT_IN_IDS } from "../../domain/providers/provider-record.ts";
import type {
  CatalogueModel,
  InstanceStatus,
  ModelFacts,
  TurnConfiguration,
} from "../../domain/providers/turn-configuration.ts";
import { Recent } from "../recent.ts";
import { CatalogueModels, listedOf, statusOf } from "./provider-rows.ts";

/** What SQL says of instances and models: lists and the catalogue only where the asker has another version. */
export const FactsRow = {
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
};
type Facts = z.infer<z.ZodObject<typeof FactsRow>>;

/** How many instances' lists an isolate remembers. */
const MOST_LISTS = 500;

interface Catalogue {
  /** Null: it is empty. */
  version: number | null;
  models: CatalogueModel[];
}

interface List {
  version: number;
  models: ModelFacts[] | null;
}

/** What this isolate knew when it asked: another answer may come in between. */
interface Had {
  /** As SQL takes them. */
  versions: string;
  lists: Map<string, List>;
  catalogue: Catalogue;
}

/** Lists and the catalogue as this isolate has them, so that they need not come again: the very same arrays come back. */
export class KnownFacts {
  readonly #lists = new Recent<List>(MOST_LISTS);
  #catalogue: Catalogue = { version: null, models: [] };

  /** Of these instances, and of the environment's. */
  of(providerIds: readonly string[]): Had {
    const lists = new Map<string, List>();
    for (const id of new Set([...Object.values(BUILT_IN_IDS), ...providerIds])) {
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

  /** What the answer says, filled up with what was known when it was asked for. */
  complete(had: Had, read: Facts): Pick<TurnConfiguration, "status" | "catalogue"> {
    const { catalogueVersion } = read;
    const status = (read.status ?? []).map(({ listVersion, listed, ...row }): InstanceStatus => {
      if (listVersion === null) return statusOf(row, null);
      const own = had.lists.get(row.providerId);
      const list = own?.version === listVersion ? own : this.#list(row.providerId, listVersion, listed);
      return statusOf(row, list.models);
    });
    const catalogue =
      had.catalogue.version === catalogueVersion
        ? had.catalogue.models
        : this.#catalogueOf(catalogueVersion ?? 0, read.catalogue ?? []);
    return { status, catalogue };
  }

  /** Two answers may bring the same version: the first one stays. */
  #list(id: string, version: number, value: unknown): List {
    const known = this.#lists.get(id);
    if (known?.version === version) return known;
    const list = { version, models: listedOf(value ?? null) };
    this.#lists.set(id, list);
    return list;
  }

  #catalogueOf(version: number, value: unknown): CatalogueModel[] {
    if (this.#catalogue.version !== version) this.#catalogue = { version, models: CatalogueModels.parse(value) };
    return this.#catalogue.models;
  }
}
