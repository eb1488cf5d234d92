import { isFresh } from "../../shared/domain/providers/is-fresh.ts";
import type { ProviderRecord, SealedCredential } from "../../shared/domain/providers/provider-record.ts";
import type { FreshCredential } from "../../shared/ports/provider-logins.ts";
import { type KeeperDeps, pauseMs } from "./keeper-deps.ts";
import type { RevokingLogin } from "./kept-login.ts";
import { newestLogin } from "./newest-login.ts";
import { refreshTokens } from "./refresh-tokens.ts";
import { revokeLogin, saveLogin } from "./tell-others.ts";

/**
 * Keeps the tokens of one credential. One thing at a time happens to them: many turns that find the same ones over share
 * one refresh and its outcome, and who comes with others waits for its turn.
 */
export class LoginKeeper {
  readonly #deps: KeeperDeps;
  readonly #running = new Map<string, Promise<FreshCredential>>();
  #last: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();

  constructor(deps: Omit<KeeperDeps, "save"> & { background(work: Promise<unknown>): void }) {
    this.#deps = { ...deps, save: () => deps.background(this.#save()) };
  }

  /** @param refused what the vendor does not take any more, although it ought to be good still */
  async fresh(record: ProviderRecord, refused?: SealedCredential): Promise<FreshCredential> {
    const { credential } = record;
    if (!credential) return { ok: false, why: "ended" };
    const key = `${credential.sealed} ${refused?.sealed ?? ""}`;
    const running =
      this.#running.get(key) ??
      this.#inTurn(() => this.#fresh(record, credential, refused)).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return await running;
  }

  /** Forgets the tokens here and has the vendor forget them, now or as soon as it can be told. */
  async revoke(record: ProviderRecord): Promise<void> {
    const { credential } = record;
    if (credential) await this.#inTurn(() => this.#revoke(record, credential));
  }

  /** For the alarm: what Postgres or the vendor could not be told yet. */
  async catchUp(): Promise<void> {
    const login = this.#deps.book.read();
    if (login?.state === "revoking") await this.#inTurn(() => revokeLogin(this.#deps, login));
    else await this.#save();
  }

  /** After whatever is under way, however that ends. */
  async #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const mine = this.#last.then(work, work);
    this.#last = mine;
    return await mine;
  }

  /** One after the other: a late answer for older tokens must not pass for one for newer ones. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => saveLogin(this.#deps));
    return this.#saving;
  }

  async #fresh(
    record: ProviderRecord,
    given: SealedCredential,
    refused: SealedCredential | undefined,
  ): Promise<FreshCredential> {
    const login = await newestLogin(this.#deps, record, given);
    if (login.state !== "live") return { ok: false, why: "ended" };
    const { credential } = login;
    const isRefused = credential.sealed === refused?.sealed;
    if (!isRefused && isFresh(credential, this.#deps.now().getTime())) return { ok: true, credential };
    return await refreshTokens(this.#deps, login, isRefused);
  }

  async #revoke(record: ProviderRecord, given: SealedCredential): Promise<void> {
    const login = await newestLogin(this.#deps, record, given);
    if (login.state !== "live") return;
    const { bound, credential } = login;
    const revoking: RevokingLogin = { state: "revoking", bound, credential, tries: 0 };
    this.#deps.book.write(revoking, this.#deps.now().getTime() + pauseMs(0));
    await revokeLogin(this.#deps, revoking);
  }
}
