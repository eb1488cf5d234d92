import type { ProviderKind } from "../../contract/model.ts";
import type { Receipt } from "../../contract/receipt.ts";
import type { ProviderErrorKind, ProviderFailure } from "../model/provider-failure.ts";

type Rejection = Receipt["rejected"][number];

/** Who is told of: a model of an instance, and whether that is somebody's own. */
export interface Told {
  kind: ProviderKind;
  isPersonal: boolean;
}

/** Stands in a sentence that others read for an instance of whoever asked. */
export const SOMEBODYS_OWN = "A provider of whoever asked";

/** Where others read along, nothing of somebody's own instances is told but the vendor. */
export const isHidden = ({ isPersonal }: Pick<Told, "isPersonal">, isShared: boolean): boolean =>
  isPersonal && isShared;

/** How somebody's own instance that was passed over stands in a receipt that others read. */
const hiddenRejection = ({ kind }: Told): Rejection => ({
  providerId: "none",
  provider: kind,
  model: "personal",
  why: `${SOMEBODYS_OWN} does not answer at the moment; /models tells them why.`,
});

/** Adds one that was passed over; of those that nobody may tell apart it says so once. */
export function reject(rejected: Rejection[], told: Told, isShared: boolean, plain: Rejection): void {
  if (!isHidden(told, isShared)) {
    rejected.push(plain);
    return;
  }
  const isSaid = rejected.some(({ providerId, provider }) => providerId === "none" && provider === told.kind);
  if (!isSaid) rejected.push(hiddenRejection(told));
}

const WHAT_HAPPENED: Partial<Record<ProviderErrorKind, string>> = {
  unauthenticated: "refused its key; they can give it anew",
  forbidden: "does not allow this",
  not_found: "does not have this model",
  invalid_request: "did not take this request; try another model",
  context_too_large: "cannot take so long a conversation; try another model",
  rate_limited: "wants fewer requests; wait a moment",
  quota_exceeded: "has no credit left; they can add some",
  unreachable: "cannot be reached at the moment",
  timeout: "took too long",
};

/** A failure of somebody's own instance as others hear of it: what happened, without a name and without its own words. */
export const hiddenFailure = (failure: ProviderFailure): ProviderFailure => ({
  ...failure,
  message: `${SOMEBODYS_OWN} ${WHAT_HAPPENED[failure.kind] ?? "broke off; try again"}.`,
});
