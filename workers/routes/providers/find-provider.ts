import type { Provider } from "../../../shared/contract/provider.ts";
import { AppError } from "../../../shared/domain/app-error.ts";
import { whyNotChange, whyReadOnly } from "../../../shared/domain/providers/change-provider.ts";
import type { ProviderRecord } from "../../../shared/domain/providers/provider-record.ts";
import type { StoredProvider } from "../../../shared/ports/provider-store.ts";
import { waitAtMost } from "../../wait-at-most.ts";
import type { SignedInCall } from "../route.ts";
import { fromEnvironment, fromStore, type KnownProvider, toProvider } from "./provider-view.ts";

type Asker = Pick<SignedInCall, "services" | "scope" | "principal">;

const notFound = () => new AppError("not_found", "There is no such provider, or it is not yours to use.");

const ofEnvironment = ({ services }: Asker, id: string): ProviderRecord | undefined =>
  services.providers.environment().find((record) => record.id === id);

/** An instance that the caller may use, as it is kept. @throws AppError `not_found` */
export async function recordOf(asker: Asker, id: string): Promise<ProviderRecord> {
  const record = ofEnvironment(asker, id) ?? (await asker.services.providerStore.find(asker.scope, id))?.record;
  if (!record) throw notFound();
  return record;
}

/** The same as the API shows it. @throws AppError `not_found` */
export async function knownProvider(asker: Asker, id: string): Promise<KnownProvider> {
  const { services, scope, principal } = asker;
  const built = ofEnvironment(asker, id);
  if (built) return fromEnvironment(built, services.settings, principal);
  const stored = await services.providerStore.find(scope, id);
  if (!stored) throw notFound();
  return fromStore(stored);
}

/** An instance that the caller may change. @throws AppError `not_found`, `forbidden` with why not */
export async function changeableProvider(asker: Asker, id: string): Promise<StoredProvider> {
  const built = ofEnvironment(asker, id);
  if (built) throw new AppError("forbidden", whyReadOnly(built.kind));
  const stored = await asker.services.providerStore.find(asker.scope, id);
  if (!stored) throw notFound();
  const why = whyNotChange(asker.principal, stored.record);
  if (why !== null) throw new AppError("forbidden", why);
  return stored;
}

/** @throws AppError `not_found`: a machine is its owner's alone to put to work. */
export async function requireOwnConnector(
  { services, scope }: Asker,
  { connectorId }: Pick<ProviderRecord, "connectorId">,
): Promise<void> {
  if (connectorId === null || (await services.connectors.find(scope, connectorId))) return;
  throw new AppError("not_found", "There is no such machine among yours; connect it first.", {
    errors: [{ path: "config.connectorId", message: "is not one of your machines" }],
  });
}

/** How long an answer waits for a vendor's first word; the vendor's list is then there for the next message. */
const FIRST_WORD_MS = 2_000;

/** The instance as it is now that it was saved, after a first look at it. */
export async function afterSaving({ services }: Pick<Asker, "services">, stored: StoredProvider): Promise<Provider> {
  const { record } = stored;
  if (record.isEnabled) {
    const look = services.health.probe(record);
    services.background(look);
    await waitAtMost(services.timers, FIRST_WORD_MS, look);
  }
  return await withHealth({ services }, fromStore(stored));
}

export async function withHealth({ services }: Pick<Asker, "services">, known: KnownProvider): Promise<Provider> {
  const [health] = await services.health.of([known.record]);
  return toProvider(known, health?.state ?? "unknown");
}
