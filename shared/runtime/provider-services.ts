import { createConnectorGateway } from "../adapters/connector/connector-gateway.ts";
import { createCredentialVault } from "../adapters/crypto/credential-vault.ts";
import { createEmbedder } from "../adapters/embedding/embedder.ts";
import { createFetchFor } from "../adapters/network/guarded-fetch.ts";
import { createConnectorStore } from "../adapters/postgres/connector-store.ts";
import type { Database } from "../adapters/postgres/database.ts";
import type { KnownFacts } from "../adapters/postgres/known-facts.ts";
import { createLoginStore } from "../adapters/postgres/login-store.ts";
import { createProviderStore } from "../adapters/postgres/provider-store.ts";
import { createStatusStore } from "../adapters/postgres/status-store.ts";
import { createLoginEndpoints } from "../adapters/provider-logins/login-endpoints.ts";
import { createProviderLogins } from "../adapters/provider-logins/provider-logins.ts";
import { createProviderDirectory } from "../adapters/providers/directory.ts";
import { environmentProviders } from "../adapters/providers/environment-providers.ts";
import { createHealthBook } from "../adapters/providers/health-book.ts";
import { openProvider } from "../adapters/providers/open-provider.ts";
import { StatusMemory } from "../adapters/providers/status-memory.ts";
import type { Settings } from "../contract/settings.ts";
import type { ConnectorGateway, ConnectorObject, ConnectorStore } from "../ports/connector-gateway.ts";
import type { ConfigurationReader } from "../ports/conversation-store.ts";
import type { CredentialVault } from "../ports/credential-vault.ts";
import type { Embedder } from "../ports/embedder.ts";
import type { LoginEndpoints } from "../ports/login-endpoints.ts";
import type { ProviderDirectory, ProviderHealthBook, ProviderHealthObject } from "../ports/provider-directory.ts";
import type { ProviderLoginObject, ProviderLogins } from "../ports/provider-logins.ts";
import type { ProviderStore } from "../ports/provider-store.ts";
import type { StatusStore } from "../ports/status-store.ts";
import type { Timers } from "../ports/timers.ts";

/** What has to do with model providers: which there are, their secrets, how they fare, the ways to them. */
export interface ProviderServices {
  vault: CredentialVault;
  providerStore: ProviderStore;
  status: StatusStore;
  connectors: ConnectorStore;
  connectorGateway: ConnectorGateway;
  logins: ProviderLogins;
  loginEndpoints: LoginEndpoints;
  providers: ProviderDirectory;
  health: ProviderHealthBook;
  embedder: Embedder;
}

/** A way out of the Worker. */
export interface Network {
  fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
}

/** What only the platform can do for them. */
export interface ProviderPlatform {
  /** Keeps what serves the current request alive until the promise settles. */
  background(work: Promise<unknown>): void;
  /** The object that a machine dials into. */
  connector(id: string): ConnectorObject;
  /** The object that counts how an instance fares. */
  providerHealth(id: string): ProviderHealthObject;
  /** The object that keeps the tokens of a credential. */
  providerLogin(credentialId: string): ProviderLoginObject;
  /** The self-hosted stack's way to public addresses alone; without it the platform's own fetch is that. */
  publicNetwork?: Network;
  /** Its way to private ones. */
  privateNetwork?: Network;
}

interface Deps {
  settings: Settings;
  platform: ProviderPlatform;
  database: Database;
  configuration: ConfigurationReader;
  /** Lists and the catalogue, as the configuration's reader has them. */
  known: KnownFacts;
  timers: Timers;
  random(): number;
  newId(): string;
  now(): Date;
}

export function composeProviders(deps: Deps): ProviderServices {
  const { settings, platform, database, known, timers, newId, now } = deps;
  const open: Network = { fetch: (input, init) => fetch(input, init) };
  const vault = createCredentialVault(settings.CREDENTIALS_KEYS);
  const providerStore = createProviderStore(database, vault);
  const status = createStatusStore(database, known);
  const connectorGateway = createConnectorGateway({ connector: platform.connector });
  const loginEndpoints = createLoginEndpoints({ logins: settings.PROVIDER_LOGINS, fetch: open.fetch, now });
  const logins = createProviderLogins({
    settings,
    store: createLoginStore(database),
    providers: providerStore,
    vault,
    object: platform.providerLogin,
    endpoints: loginEndpoints,
    newId,
    now,
    wait: timers.wait,
  });
  const environment = environmentProviders(settings);
  const memory = new StatusMemory();
  const fetchFor = createFetchFor({
    open,
    public: platform.publicNetwork ?? open,
    private: settings.ALLOW_PRIVATE_NETWORK ? (platform.privateNetwork ?? open) : null,
    connectors: connectorGateway,
  });
  const access = {
    vault,
    secretOf: environment.secretOf,
    operatorBaseUrl: environment.baseUrlOf,
    fetchFor,
    fresh: logins.fresh,
    publicUrl: settings.PUBLIC_URL,
  };
  const providers = createProviderDirectory({
    environment: environment.records,
    open: (record) => openProvider(record, access),
    memory,
    now,
  });
  const health = createHealthBook({
    directory: providers,
    memory,
    status,
    object: platform.providerHealth,
    background: platform.background,
    timers,
    now,
    probeSeconds: settings.PROVIDER_PROBE_SECONDS,
  });
  return {
    vault,
    providerStore,
    status,
    connectors: createConnectorStore(database),
    connectorGateway,
    logins,
    loginEndpoints,
    providers,
    health,
    embedder: embedderOf(deps, providers, health),
  };
}

const embedderOf = (
  { configuration, settings, timers, random, now }: Deps,
  directory: ProviderDirectory,
  health: ProviderHealthBook,
): Embedder =>
  createEmbedder({ configuration, directory, health, model: settings.EMBEDDING_MODEL, wait: timers.wait, random, now });
