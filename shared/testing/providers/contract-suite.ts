/** What every adapter of the port `ModelProvider` promises, tried against peers that keep and that break the vendor's word. */
import { describe } from "vitest";
import { describeAnswers } from "./contract-answers.ts";
import { describeFaults } from "./contract-faults.ts";
import { describePeer } from "./contract-peer.ts";
import type { ContractSubject } from "./contract-subject.ts";

/** Runs the whole contract for one adapter. */
export function describeProviderContract(subject: ContractSubject): void {
  describe(`${subject.name} keeps the provider contract`, () => {
    describe("with answers", () => describeAnswers(subject));
    describe("with faults", () => describeFaults(subject));
    describe("with an independent peer", () => describePeer(subject));
  });
}
