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
    /** A vendor that one can log in to; `GET /asked` says what it was asked. */
    loginVendorUrl: string;
    /** `PROVIDER_LOGINS`: there, for OpenRouter and Z.ai. */
    providerLogins: string;
  }
}
