import * as z from "zod";
import { ConnectorStamp } from "../../shared/contract/connector-credentials.ts";
import { Id } from "../../shared/contract/primitives.ts";
import type { DialIn } from "../../shared/ports/connector-gateway.ts";

const IDENTITY = "identity";

/** Whose machine dials in here, and the hash of its secret: enough to let it back in without Postgres. */
const Identity = z.object({
  connectorId: Id,
  ownerUserId: Id,
  name: z.string(),
  secretHash: z.string(),
  stamp: ConnectorStamp,
});
export type Identity = z.infer<typeof Identity>;

export class IdentityBook {
  readonly #kv: Pick<SyncKvStorage, "get" | "put">;
  readonly #isOwn: (connectorId: string) => boolean;
  #known: Identity | null;

  /** `isOwn` tells the id that this object is named by. */
  constructor(storage: Pick<DurableObjectStorage, "kv">, isOwn: (connectorId: string) => boolean) {
    this.#kv = storage.kv;
    this.#isOwn = isOwn;
    this.#known = Identity.safeParse(this.#kv.get(IDENTITY)).data ?? null;
  }

  get known(): Identity | null {
    return this.#known;
  }

  /**
   * Takes in what Postgres has confirmed; without that only the known secret is good. A machine is its own connector's
   * and stays its owner's, whoever says otherwise.
   * @returns `new-secret` where another one was good until now
   */
  admit({ connectorId, stamp, secretHash, owner }: DialIn): "admitted" | "new-secret" | "refused" {
    const before = this.#known;
    if (!this.#isOwn(connectorId)) return "refused";
    if (owner && before && before.ownerUserId !== owner.ownerUserId) return "refused";
    if (!owner) return before?.secretHash === secretHash ? "admitted" : "refused";
    const identity = { connectorId, ...owner, secretHash, stamp };
    if (JSON.stringify(identity) !== JSON.stringify(before)) {
      this.#kv.put(IDENTITY, identity);
      this.#known = identity;
    }
    return before && before.secretHash !== secretHash ? "new-secret" : "admitted";
  }

  forget(): void {
    this.#known = null;
  }
}
