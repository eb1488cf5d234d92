/**
 * How a request to an instance leaves. The operator's own addresses go out as they are; everybody else's pass the guard
 * at every call, not only when they were saved, and leave through a network that holds the same line for names. No
 * redirect is followed and no cookie is kept on any of these ways.
 */
import { checkPrivateUrl, checkPublicUrl, type UrlVerdict } from "../../domain/access/url-guard.ts";
import type { ProviderRecord, Route } from "../../domain/providers/provider-record.ts";
import type { ConnectorGateway } from "../../ports/connector-gateway.ts";
import { ProviderError } from "../../ports/model-provider.ts";
import { vendorOf } from "../providers/access.ts";
import { failureOf } from "../providers/errors.ts";
import type { Fetch } from "../providers/watched-fetch.ts";

/** A way out of the Worker: a network service of the self-hosted stack, or the platform's own. */
export interface Network {
  fetch: Fetch;
}

export interface FetchForDeps {
  /** Reaches everything. */
  open: Network;
  /** Reaches public addresses only, also by name. On Cloudflare that is what the platform's own fetch does. */
  public: Network;
  /** Reaches what an instance admin vouched for; null where private addresses are not allowed. */
  private: Network | null;
  connectors: Pick<ConnectorGateway, "fetch">;
}

function refusal(record: ProviderRecord, why: string): ProviderError {
  return new ProviderError(failureOf("unreachable", vendorOf(record), { refusedUrl: why }));
}

/** `fetch` for whatever the guard lets through. */
function guarded(record: ProviderRecord, network: Network, check: (url: string) => UrlVerdict): Fetch {
  return async (input, init) => {
    // As it was saved, before any parser tidied it up; then as it is sent.
    const saved = record.baseUrl === null ? null : check(record.baseUrl);
    if (saved?.ok === false) throw refusal(record, saved.why);
    const request = new Request(input, { ...init, redirect: "manual" });
    const verdict = check(request.url);
    if (!verdict.ok) throw refusal(record, verdict.why);
    return await network.fetch(request);
  };
}

function overConnector(record: ProviderRecord, connectors: FetchForDeps["connectors"]): Fetch {
  const { connectorId, ownerUserId, upstream, kind } = record;
  if (connectorId === null || ownerUserId === null)
    return () => Promise.reject(refusal(record, "it names no machine of anybody's"));
  return (input, init) =>
    connectors.fetch({ connectorId, ownerUserId, upstream: upstream ?? kind }, new Request(input, init));
}

/** The fetch of each instance, by its route. */
export function createFetchFor(deps: FetchForDeps): (record: ProviderRecord) => Fetch {
  const ways: Readonly<Record<Route, (record: ProviderRecord) => Fetch>> = {
    operator: () => (input, init) => deps.open.fetch(input, { ...init, redirect: "manual" }),
    public: (record) => guarded(record, deps.public, checkPublicUrl),
    private: (record) =>
      deps.private
        ? guarded(record, deps.private, checkPrivateUrl)
        : () =>
            Promise.reject(
              refusal(record, "private addresses are not allowed here; the operator sets ALLOW_PRIVATE_NETWORK=1"),
            ),
    connector: (record) => overConnector(record, deps.connectors),
  };
  return (record) => ways[record.route](record);
}
