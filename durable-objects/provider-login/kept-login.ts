import * as z from "zod";
import { ConnectableKind, ProviderScope } from "../../shared/contract/provider.ts";
import type { SealedCredential } from "../../shared/domain/providers/provider-record.ts";

const Bound = z.object({
  id: z.string(),
  kind: ConnectableKind,
  scope: ProviderScope,
  workspaceId: z.string().nullable(),
  ownerUserId: z.string().nullable(),
});
/** Whose credential it is: what its secret is bound to. */
export type Bound = z.infer<typeof Bound>;

const Credential: z.ZodType<SealedCredential> = z.object({
  id: z.string(),
  sealed: z.string(),
  method: z.enum(["api-key", "oauth"]).nullable(),
  expiresAtMs: z.number().nullable(),
  version: z.number(),
});

/** What an object keeps of one credential. */
const KeptLogin = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("live"),
    bound: Bound,
    credential: Credential,
    /** The last version that Postgres is known to have. */
    savedVersion: z.number(),
    /** Postgres is still to be told of `credential`, and how often that failed; null where it is not. */
    saveTries: z.number().nullable(),
    /** SHA-256 of the last refresh tokens that were used up here, the newest first. */
    spent: z.array(z.string()),
  }),
  /** Up to this version nothing is good any more. No secret is kept. */
  z.object({ state: z.literal("ended"), version: z.number() }),
  /** Taken away, and the vendor does not know yet. */
  z.object({ state: z.literal("revoking"), bound: Bound, credential: Credential, tries: z.number() }),
]);
export type KeptLogin = z.infer<typeof KeptLogin>;
export type LiveLogin = Extract<KeptLogin, { state: "live" }>;
export type RevokingLogin = Extract<KeptLogin, { state: "revoking" }>;

/** The storage of one credential. Every write is whole, and leaves before anything that is sent after it. */
export interface LoginBook {
  read(): KeptLogin | null;
  /** Wakes the object at `wakeAtMs`, should it die before it has done what this asks for; null where it asks for nothing. */
  write(login: KeptLogin, wakeAtMs: number | null): void;
}

const KEY = "login";

export function createLoginBook(
  storage: DurableObjectStorage,
  background: (work: Promise<unknown>) => void,
): LoginBook {
  return {
    read() {
      const found = storage.kv.get(KEY);
      return found === undefined ? null : KeptLogin.parse(found);
    },
    write(login, wakeAtMs) {
      storage.kv.put(KEY, login);
      background(wakeAtMs === null ? storage.deleteAlarm() : storage.setAlarm(wakeAtMs));
    },
  };
}
