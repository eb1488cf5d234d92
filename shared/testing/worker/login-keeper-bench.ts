import { v7 } from "uuid";
import type { KeeperDeps } from "../../../durable-objects/provider-login/keeper-deps.ts";
import type { KeptLogin, LoginBook } from "../../../durable-objects/provider-login/kept-login.ts";
import { LoginKeeper } from "../../../durable-objects/provider-login/login-keeper.ts";
import { createCredentialVault } from "../../adapters/crypto/credential-vault.ts";
import type { ProviderRecord, ProviderSecret, SealedCredential } from "../../domain/providers/provider-record.ts";
import { bindingOf } from "../../ports/credential-vault.ts";
import type { Granted, OAuthTokens } from "../../ports/login-endpoints.ts";
import type { FreshCredential } from "../../ports/provider-logins.ts";

export const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const HOUR_MS = 3_600_000;

export const vault = createCredentialVault(`test:${btoa("k".repeat(32))}`);

/** A vendor that rotates refresh tokens and takes each once. */
export class RotatingVendor {
  readonly asked: string[] = [];
  readonly issued: string[] = [];
  /** What the next requests are answered instead. */
  readonly troubles: ("unavailable" | "misconfigured")[] = [];
  isDown = false;
  /** Takes a token that was used up once more, as vendors do that know of cut connections. */
  isGracious = false;
  nowMs = () => NOW_MS;
  readonly #refresh = new Set<string>();
  readonly #access = new Set<string>();

  grant(): OAuthTokens {
    const tokens = { accessToken: `access-${crypto.randomUUID()}`, refreshToken: `refresh-${crypto.randomUUID()}` };
    this.#refresh.add(tokens.refreshToken);
    this.#access.add(tokens.accessToken);
    this.issued.push(tokens.accessToken, tokens.refreshToken);
    return tokens;
  }

  get live(): number {
    return this.#refresh.size;
  }

  isGood(accessToken: string | undefined): boolean {
    return accessToken !== undefined && this.#access.has(accessToken);
  }

  isLive(refreshToken: string | undefined): boolean {
    return refreshToken !== undefined && this.#refresh.has(refreshToken);
  }

  forgetAll(): void {
    this.#refresh.clear();
    this.#access.clear();
  }

  async refresh(_kind: string, { refreshToken = "" }: OAuthTokens): Promise<Granted> {
    this.asked.push(refreshToken);
    const why = this.isDown ? "unavailable" : this.troubles.shift();
    if (why) return { ok: false, why, message: "The vendor is out of order." };
    const wasGood = this.#refresh.delete(refreshToken) || (this.isGracious && this.issued.includes(refreshToken));
    if (!wasGood) return { ok: false, why: "refused", message: "used up" };
    return { ok: true, secret: { oauth: { ...this.grant(), expiresAtMs: this.nowMs() + HOUR_MS } } };
  }

  async revoke(_kind: string, { refreshToken = "" }: OAuthTokens): Promise<boolean> {
    if (this.isDown) return false;
    this.#refresh.delete(refreshToken);
    return true;
  }
}

/** The one row of Postgres that matters here. */
export class TestPostgres {
  row: SealedCredential | null = null;
  isAway = false;
  /** What it waits for before it looks at what it was asked. */
  slowly: Promise<unknown> = Promise.resolve();
  writes = 0;

  async replaceSecret(id: string, from: number, to: SealedCredential): Promise<boolean> {
    await this.slowly;
    if (this.isAway) throw new Error("Postgres is away");
    if (this.row?.id !== id || this.row.version !== from) return false;
    this.row = to;
    this.writes += 1;
    return true;
  }
}

/** A login at `vendor`, sealed as version 1, and written in `postgres`. */
export async function aLogin(
  vendor: RotatingVendor,
  { expiresAtMs }: { expiresAtMs: number },
  postgres = new TestPostgres(),
) {
  const bound = { id: v7(), kind: "zai" as const, scope: "user" as const, workspaceId: null, ownerUserId: v7() };
  const id = v7();
  const tokens = vendor.grant();
  const seal = async (
    oauth: OAuthTokens,
    more: { expiresAtMs: number; version: number; headers?: Record<string, string> },
  ): Promise<SealedCredential> => {
    const { version, headers } = more;
    const secret: ProviderSecret = { oauth, ...(headers ? { headers } : {}) };
    const sealed = await vault.seal(secret, bindingOf(bound));
    return { id, sealed, method: "oauth", expiresAtMs: more.expiresAtMs, version };
  };
  const credential = await seal(tokens, { expiresAtMs, version: 1 });
  postgres.row = credential;
  const record: ProviderRecord = {
    ...bound,
    displayName: "Z.ai",
    baseUrl: null,
    connectorId: null,
    upstream: null,
    route: "public",
    credential,
    isDefault: false,
    isEnabled: true,
    source: "stored",
    version: 1,
  };
  return { record, seal, tokens };
}

/** The storage of an object that died and came back: what was written stays. */
export function memoryBook(): LoginBook & { wakeAtMs: number | null } {
  let kept: KeptLogin | null = null;
  return {
    wakeAtMs: null,
    read: () => kept,
    write(login, wakeAtMs) {
      kept = structuredClone(login);
      this.wakeAtMs = wakeAtMs;
    },
  };
}

type Bench = Partial<Pick<KeeperDeps, "book">> & { vendor: RotatingVendor; postgres?: TestPostgres };

export function keeperOver({ vendor, postgres = new TestPostgres(), book: given }: Bench) {
  const clock = { nowMs: NOW_MS };
  vendor.nowMs = () => clock.nowMs;
  const work: Promise<unknown>[] = [];
  const memory = memoryBook();
  const deps = {
    book: given ?? memory,
    vault,
    endpoints: {
      refresh: (kind: string, tokens: OAuthTokens) => vendor.refresh(kind, tokens),
      revoke: (kind: string, tokens: OAuthTokens) => vendor.revoke(kind, tokens),
    },
    providers: postgres,
    background: (each: Promise<unknown>) => void work.push(each),
    timers: {
      wait: async (ms: number) => {
        clock.nowMs += ms;
      },
    },
    random: () => 0.5,
    now: () => new Date(clock.nowMs),
  };
  return {
    deps,
    clock,
    book: memory,
    keeper: new LoginKeeper(deps),
    /** Everything that goes on aside has ended. */
    settled: async () => {
      while (work.length > 0) await work.shift();
    },
    open: async (answer: FreshCredential | undefined): Promise<ProviderSecret> => {
      if (!answer?.ok) throw new Error(`no credential: ${JSON.stringify(answer)}`);
      const kept = (given ?? memory).read();
      if (kept?.state !== "live") throw new Error("nothing is kept");
      return await vault.open(answer.credential.sealed, bindingOf(kept.bound));
    },
  };
}
