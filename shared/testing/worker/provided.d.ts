import "vitest";

/** What the setup files of the workerd tests provide: `inject("databaseAppUrl")`. */
declare module "vitest" {
  interface ProvidedContext {
    databaseAppUrl: string;
    databaseAuthUrl: string;
    databaseEndpoint: string;
    databaseOwnerUrl: string;
    /** Stands for a vendor: `ANTHROPIC_BASE_URL`. */
    modelUrl: string;
    /** POST behaviours for the next requests; GET the requests so far; DELETE to begin anew. */
    modelControlUrl: string;
  }
}
