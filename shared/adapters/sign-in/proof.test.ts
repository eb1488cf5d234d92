import { describe, expect, it } from "vitest";
import type { Principal } from "../../domain/access/principal.ts";
import { PROOF_LIFETIME_MS, type Proven } from "../../domain/access/recent-proof.ts";
import { aPrincipal } from "../../testing/builders.ts";
import { createProofs } from "./proof.ts";

const settings = { PUBLIC_URL: "https://mosaic.test", BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef" };
const proofs = createProofs(settings);
const NOW = new Date("2026-11-21T12:00:00.000Z");
const later = (ms: number): Date => new Date(NOW.getTime() + ms);
const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` });

async function proven(headers: Headers, principal: Principal = aPrincipal()): Promise<Proven> {
  const proof = await proofs.prove(headers, principal, NOW);
  if (!proof) throw new Error("nothing was shown");
  return { ...principal, proof };
}

const recall = (headers: Headers, kept: Proven | null, now: Date = NOW, by = proofs) =>
  by.recall(headers, now, async (hash) => (kept?.proof.credentialHash === hash ? kept : null));

describe("a proof of a recent sign-in", () => {
  it("stands for the credential that was shown, until it is ten minutes old, and tells nothing of it", async () => {
    const kept = await proven(bearer("token-1"));
    const { proof: _, ...principal } = kept;
    expect(await recall(bearer("token-1"), kept, later(PROOF_LIFETIME_MS - 1))).toEqual({ principal, via: "bearer" });
    expect(await recall(bearer("token-1"), kept, later(PROOF_LIFETIME_MS))).toBeNull();
    expect(await recall(bearer("token-2"), kept)).toBeNull();
    expect(await recall(new Headers(), kept)).toBeNull();
    expect(JSON.stringify(kept)).not.toContain("token-1");
  });

  it("allows for clocks that differ by less than a minute, and for no more", async () => {
    const kept = await proven(bearer("token-1"));
    expect(await recall(bearer("token-1"), kept, later(-59_000))).not.toBeNull();
    expect(await recall(bearer("token-1"), kept, later(-61_000))).toBeNull();
  });

  it("is of this instance's secret only", async () => {
    const kept = await proven(bearer("token-1"));
    const other = createProofs({ ...settings, BETTER_AUTH_SECRET: "another secret, long enough as well" });
    const renamed = (hash: string) => Promise.resolve({ ...kept, proof: { ...kept.proof, credentialHash: hash } });
    expect(await other.recall(bearer("token-1"), NOW, renamed)).toBeNull();
    expect(await other.renew(kept, NOW)).toBeNull();
  });

  it("makes nobody an instance admin, and no session an API key", async () => {
    const admin = await proven(bearer("token-1"), aPrincipal({ isInstanceAdmin: true }));
    expect((await recall(bearer("token-1"), admin))?.principal.isInstanceAdmin).toBe(false);
    expect(await recall(new Headers({ "x-api-key": "token-1" }), admin)).toBeNull();
    const key = await proven(new Headers({ "x-api-key": "key-1" }), aPrincipal({ credential: "api-key" }));
    expect((await recall(bearer("key-1"), key))?.via).toBe("api-key");
  });

  it("is renewed with everything but its time as it was, and not where it was changed", async () => {
    const kept = await proven(bearer("token-1"));
    const renewed = await proofs.renew(kept, later(PROOF_LIFETIME_MS));
    expect(renewed).toEqual({ ...kept, proof: { ...renewed?.proof, credentialHash: kept.proof.credentialHash } });
    expect(await recall(bearer("token-1"), renewed, later(PROOF_LIFETIME_MS + 1))).not.toBeNull();
    expect(await proofs.renew({ ...kept, userId: aPrincipal().userId }, NOW)).toBeNull();
  });
});
