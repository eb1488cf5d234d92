import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../shared/client/api-error.ts";
import type { Me } from "../../../../shared/contract/account.ts";
import { askMe, forgetMe } from "./recent-me.ts";

const ID = "0192f5c0-0000-7000-8000-000000000001";
const me: Me = {
  user: { id: ID, name: "Ana", email: "ana@example.org", emailVerified: true, image: null, isInstanceAdmin: false },
  workspaces: [],
  defaultWorkspaceId: ID,
  settings: { defaultModel: { value: null, from: "default" } },
};

function storage() {
  const rows = new Map<string, string>();
  return () => ({
    getItem: (key: string) => rows.get(key) ?? null,
    setItem: (key: string, value: string) => void rows.set(key, value),
    removeItem: (key: string) => void rows.delete(key),
  });
}

const fails = (code: "database_unavailable" | "unauthenticated") => () =>
  Promise.reject(new ApiError({ code, message: "no" }));

describe("who is signed in", () => {
  it("is known for ten minutes without the database", async () => {
    const rows = storage();
    await askMe(
      async () => me,
      rows,
      () => 0,
    );
    expect(await askMe(fails("database_unavailable"), rows, () => 600_000)).toEqual(me);
    await expect(askMe(fails("database_unavailable"), rows, () => 600_001)).rejects.toThrow("no");
  });

  it("is nobody after the server has said so, or after a sign-out", async () => {
    const rows = storage();
    await askMe(
      async () => me,
      rows,
      () => 0,
    );
    await expect(askMe(fails("unauthenticated"), rows, () => 1)).rejects.toThrow("no");
    await expect(askMe(fails("database_unavailable"), rows, () => 2)).rejects.toThrow("no");
    await askMe(
      async () => me,
      rows,
      () => 3,
    );
    forgetMe(rows);
    await expect(askMe(fails("database_unavailable"), rows, () => 4)).rejects.toThrow("no");
  });

  it("is asked of the server alone where the browser keeps nothing", async () => {
    const denied = () => {
      throw new Error("denied");
    };
    expect(
      await askMe(
        async () => me,
        denied,
        () => 0,
      ),
    ).toEqual(me);
    await expect(askMe(fails("database_unavailable"), denied, () => 0)).rejects.toThrow("no");
  });
});
