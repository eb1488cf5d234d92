import { describe, expect, it } from "vitest";
import { unwrap } from "../../shared/domain/app-error.ts";
import type { TurnConfiguration } from "../../shared/domain/providers/turn-configuration.ts";
import { GUIDE_NOTE } from "../../shared/domain/turn/after-failure.ts";
import { aConfiguration, aProviderRecord, testId } from "../../shared/testing/builders.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { sendMessage } from "./messages.ts";

const SENTENCE =
  '"Work" cannot be asked while the database is away: what this conversation remembers of its key is sealed under one that CREDENTIALS_KEYS does not have any more. Try again when the database is back.';

/** One provider of the owner's, with a saved key, before the guide. */
function withOwnKey(bench: RoomBench) {
  const is = { away: false, opens: true };
  const credential = {
    id: testId(),
    sealed: "v1.old.a.b.c",
    method: "api-key" as const,
    expiresAtMs: null,
    version: 1,
  };
  const record = aProviderRecord({ id: testId(), displayName: "Work", credential });
  const [own, guide] = bench.models;
  guide.instance.kind = "guide";
  const { vault, providers } = bench.services;
  bench.services.vault = { ...vault, opens: () => is.opens };
  bench.services.configuration = {
    read: async (): Promise<TurnConfiguration> => {
      if (is.away) throw new Error("away");
      return aConfiguration({ providers: [record] });
    },
  };
  bench.services.providers = {
    ...providers,
    instances: (configuration) => [
      ...(configuration?.providers ?? []).map(({ id }) => ({ ...own.instance, id })),
      guide.instance,
    ],
  };
  bench.lose();
  return is;
}

async function ask(bench: RoomBench, model?: string) {
  const wish = { text: "question", whenBusy: "queue" as const, ...(model ? { model } : {}) };
  const sent = unwrap(sendMessage(bench.room, bench.owner, testId(), wish, "web"));
  await bench.settle();
  await bench.forward(300);
  return sent;
}

async function answered(bench: RoomBench) {
  for (const { asked } of bench.models) asked.at(-1)?.text("here").finish();
  await bench.settle();
}

describe("a snapshot whose key was taken out of the ring", () => {
  it("is as if that provider was not there: no request, no word to its breaker, and the guide knows why", () =>
    inRoom(async (bench) => {
      const is = withOwnKey(bench);
      await ask(bench);
      await answered(bench);
      [is.away, is.opens] = [true, false];
      await ask(bench);
      await answered(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([1, 1]);
      expect(bench.models[1].asked[0]?.request.system).toContain(`${GUIDE_NOTE}${SENTENCE}`);
      expect(bench.reports.filter(({ outcome }) => !outcome.ok)).toEqual([]);
    }));

  it("is told where its model was asked for by name", () =>
    inRoom(async (bench) => {
      const is = withOwnKey(bench);
      await ask(bench);
      await answered(bench);
      [is.away, is.opens] = [true, false];
      const sent = await ask(bench, "first");
      expect(bench.endings(sent.turnId)).toMatchObject([
        { type: "turn:failed", error: { code: "no_route", message: expect.stringContaining(SENTENCE) } },
      ]);
    }));

  it("serves as before while the ring has its key", () =>
    inRoom(async (bench) => {
      const is = withOwnKey(bench);
      await ask(bench);
      await answered(bench);
      is.away = true;
      await ask(bench);
      expect(bench.models.map(({ asked }) => asked.length)).toEqual([2, 0]);
    }));
});
