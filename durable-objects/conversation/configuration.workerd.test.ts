import { expect, it } from "vitest";
import { inRoom } from "../../shared/testing/worker/room-bench.ts";
import { Configuration } from "./configuration.ts";

it("settings that were asked for ahead of a turn that never began are not used by a later one", () =>
  inRoom(async (bench) => {
    const { room } = bench;
    let model = "early";
    const configuration = new Configuration({
      journal: room.journal,
      reader: { read: async () => ({ workspace: { defaultModel: model, defaultProviderId: null, settings: {} } }) },
      timers: room.services.timers,
    });
    configuration.readAhead();
    model = "late";
    await bench.forward(5_000);
    expect(await configuration.read()).toMatchObject({ from: "fresh", value: { workspace: { defaultModel: "late" } } });
  }));
