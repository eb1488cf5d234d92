import { DurableObject } from "cloudflare:workers";
import type { ProviderRecord, SealedCredential } from "../../shared/domain/providers/provider-record.ts";
import type { FreshCredential, ProviderLoginObject } from "../../shared/ports/provider-logins.ts";
import { servicesFor } from "../services-for.ts";
import type { Bindings } from "../stubs.ts";
import { createLoginBook } from "./kept-login.ts";
import { LoginKeeper } from "./login-keeper.ts";

/** The tokens of one login at a vendor. A shell around `LoginKeeper`. */
export class ProviderLogin extends DurableObject<Bindings> implements ProviderLoginObject {
  readonly #keeper: LoginKeeper;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const background = (work: Promise<unknown>): void => ctx.waitUntil(work);
    const { vault, providerStore, loginEndpoints, timers, random, now } = servicesFor(env);
    this.#keeper = new LoginKeeper({
      book: createLoginBook(ctx.storage, background),
      vault,
      endpoints: loginEndpoints,
      providers: providerStore,
      background,
      timers,
      random,
      now,
    });
  }

  fresh(record: ProviderRecord, refused?: SealedCredential): Promise<FreshCredential> {
    return this.#keeper.fresh(record, refused);
  }

  revoke(record: ProviderRecord): Promise<void> {
    return this.#keeper.revoke(record);
  }

  override async alarm(): Promise<void> {
    await this.#keeper.catchUp();
  }
}
