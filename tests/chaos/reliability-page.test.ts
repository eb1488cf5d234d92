import { describe, expect, it } from "vitest";
import { type Reports, reliabilityPage } from "./reliability-page.ts";

const killed = { kills: 100, medianMs: 512, worstMs: 1_234 };
const reports = (): Reports => ({
  chaos: {
    seed: "a-seed",
    machine: { cpu: "A processor", cores: 2, memoryGiB: 16, node: "v24.0.0" },
    seconds: 1_800,
    messages: 50_123,
    events: 150_000,
    conversations: 400,
    clients: 2_000,
    kills: { workerd: killed, database: killed, stack: killed },
    databaseFaults: 50,
    modelFaults: { answered: 49_000, cut: 1_000 },
    endings: { "turn:completed": 50_000 },
    strangerTries: 4_000,
    violations: [],
  },
  chaosMutants: { mutants: [{ name: "no-dedupe", what: "ids are not known", caughtBy: "acknowledged-is-kept" }] },
  simulator: {
    firstSeed: 1,
    schedules: 1_000_000,
    schedulesPerSecond: 700,
    tookSeconds: 1_400,
    withFiveClients: 30_000,
    steps: 9,
    messagesAcknowledged: 9,
    faults: { crash: 9 },
    violating: 0,
    violations: [],
    mutants: [{ name: "alarm-throws", what: "an alarm throws", caughtBy: "settles" }],
  },
  fuzz: { seed: 7, sockets: { inputs: 60_000, sockets: 10, conversations: 10, brokenConnections: 10 } },
});

describe("the page on reliability", () => {
  it("tells counts, seeds, recovery times and both verdicts", () => {
    const page = reliabilityPage(reports(), "2026-01-01");
    for (const told of ["a-seed", "50,123", "| 300 |", "0.5 s", "1.2 s", "1,000,000", "60,000", "A processor"])
      expect(page).toContain(told);
    expect(page.match(/The checker found nothing/g)).toHaveLength(2);
  });

  it("never hides a violation, or a mutant that nobody saw", () => {
    const bad = reports();
    bad.chaos.violations.push({ rule: "own-order", conversationId: "c", detail: "one before the other" });
    bad.chaosMutants.mutants.push({ name: "unseen", what: "nothing is written", caughtBy: null });
    const page = reliabilityPage(bad, "2026-01-01");
    expect(page).toContain("`own-order`: one before the other");
    expect(page).toContain("| `unseen` | nothing is written | **nobody** |");
  });
});
