import { AppError } from "../../shared/domain/app-error.ts";
import { describeModel } from "../../shared/domain/catalogue/describe-model.ts";
import {
  BUILT_IN_IDS,
  type ProviderRecord,
  type ProviderSecret,
} from "../../shared/domain/providers/provider-record.ts";
import type { ConnectorStore, StoredConnector } from "../../shared/ports/connector-gateway.ts";
import type { CredentialVault } from "../../shared/ports/credential-vault.ts";
import type { LoginEndpoints } from "../../shared/ports/login-endpoints.ts";
import type { ProviderDirectory, ProviderHealthBook, ProviderInstance } from "../../shared/ports/provider-directory.ts";
import type { ProviderLogins } from "../../shared/ports/provider-logins.ts";
import type { ProviderStore, StoredProvider } from "../../shared/ports/provider-store.ts";
import type { StatusStore } from "../../shared/ports/status-store.ts";
import type { Services } from "../../shared/runtime/services.ts";

const unused = (): never => {
  throw new Error("nothing at the edge asks for this");
};

/** The operator's one provider. */
const environment: ProviderRecord = {
  id: BUILT_IN_IDS.anthropic,
  kind: "anthropic",
  displayName: "Anthropic",
  scope: "system",
  workspaceId: null,
  ownerUserId: null,
  baseUrl: "https://operator.internal.example",
  connectorId: null,
  upstream: null,
  route: "operator",
  credential: null,
  isDefault: false,
  isEnabled: true,
  source: "environment",
  version: 1,
};

/** Everyone's own, each their maker's alone; that others may use a workspace's is the real store's to prove. */
function memoryProviderStore(rows: Map<string, StoredProvider>): ProviderStore {
  const own = (userId: string, id: string) => {
    const found = rows.get(id);
    return found?.record.ownerUserId === userId ? found : undefined;
  };
  const current = (found: StoredProvider, ifVersion: number | undefined): void => {
    if (ifVersion !== undefined && ifVersion !== found.record.version)
      throw new AppError("version_conflict", "It was changed.");
  };
  return {
    list: async ({ userId }) => [...rows.values()].filter(({ record }) => record.ownerUserId === userId),
    find: async ({ userId }, id) => own(userId, id) ?? null,
    async create(_scope, { at, ...provider }) {
      const made = rows.get(provider.record.id) ?? { ...provider, createdAt: at, updatedAt: at };
      rows.set(made.record.id, made);
      return made;
    },
    async update({ userId }, id, { at, hints, credential, ...changes }, ifVersion) {
      const found = own(userId, id);
      if (!found) return null;
      current(found, ifVersion);
      const version = found.record.version + 1;
      const record = { ...found.record, ...changes, version, ...(credential === undefined ? {} : { credential }) };
      const changed = { ...found, record, hints: hints ?? found.hints, updatedAt: at };
      rows.set(id, changed);
      return changed;
    },
    async remove({ userId }, id, ifVersion) {
      const found = own(userId, id);
      if (found) current(found, ifVersion);
      return found !== undefined && rows.delete(id);
    },
    rewrap: unused,
    replaceSecret: unused,
  };
}

function memoryConnectors(): ConnectorStore {
  const rows = new Map<string, StoredConnector>();
  const own = (userId: string) => [...rows.values()].filter(({ ownerUserId }) => ownerUserId === userId);
  return {
    list: async ({ userId }) => own(userId),
    find: async ({ userId }, id) => own(userId).find((row) => row.id === id) ?? null,
    async create({ userId }, { id, name, at }) {
      const made = own(userId).find((row) => row.name === name) ?? {
        id,
        name,
        ownerUserId: userId,
        isOnline: false,
        lastSeenAt: null,
        upstreams: [],
        clientVersion: null,
        createdAt: at,
      };
      rows.set(made.id, made);
      return made;
    },
    remove: async ({ userId }, id) => own(userId).some((row) => row.id === id) && rows.delete(id),
    claim: async () => null,
    verify: async () => null,
    enrol: async () => false,
    announce: async () => false,
  };
}

/** Seals by keeping the secret to itself. */
function memoryVault(): CredentialVault {
  const secrets = new Map<string, ProviderSecret>();
  const seal = (secret: ProviderSecret): string => {
    const sealed = `v1.memory.${secrets.size}`;
    secrets.set(sealed, secret);
    return sealed;
  };
  return {
    newestKey: "memory",
    seal: async (secret) => seal(secret),
    open: async (sealed) => secrets.get(sealed) ?? {},
    async amend(sealed, _binding, { apiKey, headers }) {
      const { apiKey: oldKey, headers: oldHeaders = {} } = secrets.get(sealed ?? "") ?? {};
      const key = apiKey === undefined ? oldKey : apiKey;
      const next = { ...(key ? { apiKey: key } : {}), headers: headers ?? oldHeaders };
      return key || Object.keys(next.headers).length > 0 ? seal(next) : null;
    },
    keyOf: () => "memory",
    opens: () => true,
    rewrap: async (sealed) => sealed,
  };
}

const status: StatusStore = {
  saveHealth: async () => true,
  saveList: async () => {},
  healths: async () => [],
  facts: async () => ({ status: [], catalogue: [] }),
  claimDue: async () => ({ environmentIds: [], stored: [] }),
};

const healthBook = (forgotten: string[]): ProviderHealthBook => ({
  report: () => {},
  trial: () => true,
  probe: async () => ({ ok: true, latencyMs: 1.4, models: [{ id: "a-model" }], error: null }),
  probeDue: async () => ({ probed: 0 }),
  firstLook: async () => {},
  of: async () => [],
  forget: async (ids) => void forgotten.push(...ids),
});

const opus = describeModel("anthropic", { id: "claude-opus-4-6" }, { providerId: environment.id, health: "healthy" });

const instance: ProviderInstance = {
  id: environment.id,
  version: 1,
  kind: "anthropic",
  displayName: environment.displayName,
  health: "healthy",
  breaker: "closed",
  trouble: null,
  isDefault: false,
  isPersonal: false,
  models: [opus],
  provider: { kind: "anthropic", models: unused, stream: unused },
};

const directory: ProviderDirectory = {
  environment: () => [environment],
  instances: () => [instance],
  open: unused,
};

/** Logins at vendors have tests of their own. */
const logins: ProviderLogins = {
  kinds: () => [{ kind: "openrouter", method: "redirect" }],
  start: async () => {
    throw new AppError("invalid_request", "There is no login here.");
  },
  find: async () => null,
  finish: async () => null,
  finishByState: async () => null,
  revoke: async () => {},
  fresh: unused,
};

const loginEndpoints: LoginEndpoints = {
  kinds: () => logins.kinds(),
  vendorName: (kind) => kind,
  baseUrl: () => null,
  begin: async () => null,
  exchange: unused,
  poll: unused,
  refresh: unused,
  revoke: async () => true,
};

/** What the edge needs for providers and machines, in memory; `stored`, `ended` and `forgotten` are there for looking. */
export function memoryProviders() {
  const stored = new Map<string, StoredProvider>();
  const ended: string[] = [];
  const forgotten: string[] = [];
  const services = {
    providers: directory,
    providerStore: memoryProviderStore(stored),
    connectors: memoryConnectors(),
    connectorGateway: {
      fetch: async () => new Response(null, { status: 503 }),
      end: async (id: string) => void ended.push(id),
    },
    vault: memoryVault(),
    status,
    health: healthBook(forgotten),
    logins,
    loginEndpoints,
  } satisfies Partial<Services>;
  return { services, stored, ended, forgotten };
}
