import { describe, expect, it } from "vitest";
import { bindingOf } from "../../shared/ports/credential-vault.ts";
import {
  aLogin,
  keeperOver,
  memoryBook,
  RotatingVendor,
  TestPostgres,
  vault,
} from "../../shared/testing/worker/login-keeper-bench.ts";
import type { KeeperDeps } from "./keeper-deps.ts";
import { LoginKeeper } from "./login-keeper.ts";

class Died extends Error {}

/** Where an object dies: before or after the n-th thing that it does. */
interface Death {
  at: number;
  when: "before" | "after";
}

type Deps = ReturnType<typeof keeperOver>["deps"];

/** The same parts, until the object dies; from then on nothing that it does reaches anything. */
function mortal(deps: Deps, death: Death | null) {
  const steps: string[] = [];
  let isDead = false;
  const step = (name: string): boolean => {
    if (isDead) throw new Died();
    const isLast = death !== null && steps.length === death.at;
    steps.push(name);
    if (isLast && death.when === "before") {
      isDead = true;
      throw new Died();
    }
    return isLast;
  };
  const after = (isLast: boolean): void => {
    if (isDead || isLast) {
      isDead = true;
      throw new Died();
    }
  };
  const watched =
    <Given extends unknown[], Value>(name: string, work: (...given: Given) => Promise<Value>) =>
    async (...given: Given): Promise<Value> => {
      const isLast = step(name);
      const value = await work(...given);
      after(isLast);
      return value;
    };
  const parts: Omit<KeeperDeps, "save"> & Pick<Deps, "background"> = {
    ...deps,
    book: {
      read: () => deps.book.read(),
      write: (login, wakeAtMs) => {
        const isLast = step("write");
        deps.book.write(login, wakeAtMs);
        after(isLast);
      },
    },
    vault: { open: watched("open", deps.vault.open), seal: watched("seal", deps.vault.seal) },
    endpoints: { ...deps.endpoints, refresh: watched("refresh", deps.endpoints.refresh) },
    providers: { replaceSecret: watched("save", (id, from, to) => deps.providers.replaceSecret(id, from, to)) },
    background: (work) => deps.background(work.catch(() => {})),
  };
  return { keeper: new LoginKeeper(parts), steps };
}

async function run(death: Death | null, { isGracious }: { isGracious: boolean }) {
  const vendor = new RotatingVendor();
  vendor.isGracious = isGracious;
  const postgres = new TestPostgres();
  const { record } = await aLogin(vendor, { expiresAtMs: 0 }, postgres);
  const book = memoryBook();
  const first = keeperOver({ vendor, postgres, book });
  const { keeper, steps } = mortal(first.deps, death);
  const given = await keeper.fresh(record).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    return null;
  });
  await first.settled();
  const isWaking = book.wakeAtMs !== null;
  const second = keeperOver({ vendor, postgres, book });
  // The platform wakes it where it asked for that; a turn comes with what it has read in Postgres, old or new.
  if (isWaking) await second.keeper.catchUp();
  const savedByAlarm = postgres.row?.version;
  const answer = await second.keeper.fresh(record);
  await second.settled();
  const newest = await second.keeper.fresh({ ...record, credential: postgres.row });
  await second.settled();
  const secretOf = async (sealed: string) => (await vault.open(sealed, bindingOf(record))).oauth;
  return {
    steps,
    given,
    answer,
    savedByAlarm,
    isUsable: answer.ok && vendor.isGood((await secretOf(answer.credential.sealed))?.accessToken),
    isSame: JSON.stringify(answer) === JSON.stringify(newest),
    isInPostgres:
      answer.ok && postgres.row !== null && vendor.isLive((await secretOf(postgres.row.sealed))?.refreshToken),
    asked: vendor.asked.length,
  };
}

const { steps } = await run(null, { isGracious: false });
const deaths = steps.flatMap((name, at) =>
  (["before", "after"] as const).map((when): [string, Death] => [`${when} step ${at} (${name})`, { at, when }]),
);

/** What nobody can have: the vendor has thrown the old token away, and the new one was in memory alone. */
const LOST = ["after step 2 (refresh)", "before step 3 (seal)", "after step 3 (seal)", "before step 4 (write)"];

describe("an object that dies while it refreshes", () => {
  it("does these things, in this order", () => {
    expect(steps).toEqual(["write", "open", "refresh", "seal", "write", "save", "write"]);
  });

  it.each(deaths)(
    "%s: the login goes on, or has ended with a word, and Postgres has what is good",
    async (name, death) => {
      const { answer, given, isUsable, isSame, isInPostgres, asked, savedByAlarm } = await run(death, {
        isGracious: false,
      });
      if (LOST.includes(name)) {
        expect(given).toBeNull();
        expect(answer).toEqual({ ok: false, why: "ended" });
        return;
      }
      expect({ isUsable, isSame, isInPostgres }).toEqual({ isUsable: true, isSame: true, isInPostgres: true });
      if (given?.ok) expect(answer).toEqual(given);
      expect(asked).toBe(1);
      if (death.at > 4) expect(savedByAlarm).toBe(2);
    },
  );

  it.each(deaths)("%s: nothing is lost at a vendor that takes the last token once more", async (_name, death) => {
    const { isUsable, isSame, isInPostgres } = await run(death, { isGracious: true });
    expect({ isUsable, isSame, isInPostgres }).toEqual({ isUsable: true, isSame: true, isInPostgres: true });
  });
});
