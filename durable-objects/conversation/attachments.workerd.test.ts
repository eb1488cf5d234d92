import { v7 as newId } from "uuid";
import { expect, it } from "vitest";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import type { AccountStore } from "../../shared/ports/account-store.ts";
import { inRoom, type RoomBench } from "../../shared/testing/worker/room-bench.ts";
import { Attachments } from "./attachments.ts";

/** The attachments of a room whose Postgres does what a test says. */
function attachmentsOf({ room }: RoomBench, recordAttachment: AccountStore["recordAttachment"]): Attachments {
  const { journal, sessions, alarms, background, services } = room;
  return new Attachments({
    id: room.id,
    sql: room.storage.sql,
    journal,
    sessions,
    accounts: { recordAttachment, removeAttachment: async () => {} },
    signIn: services.signIn,
    alarms,
    timers: services.timers,
    now: () => services.now(),
    background,
  });
}

const proven = ({ owner, clock }: RoomBench): Principal => ({
  ...owner,
  proof: { credentialHash: newId(), provenAt: clock.now(), signature: "00" },
});

it("a sign-in whose proof could not be kept once is kept the next time", () =>
  inRoom(async (bench) => {
    let broken = true;
    const attachments = attachmentsOf(bench, async () => "write");
    const principal = proven(bench);
    const schedule = bench.room.alarms.schedule.bind(bench.room.alarms);
    bench.room.alarms.schedule = (...args) => {
      if (broken) throw new Error("the storage fails for a moment");
      schedule(...args);
    };
    attachments.note(principal);
    await bench.settle();
    broken = false;
    bench.room.storage.sql.exec("delete from proofs");
    attachments.note(principal);
    await bench.settle();
    expect(attachments.proofOf(principal.proof?.credentialHash ?? "")).not.toBeNull();
  }));

it("who attaches while the conversation is deleted is not attached", () =>
  inRoom(async (bench) => {
    let fail = (_error: Error): void => {};
    const attachments = attachmentsOf(bench, () => new Promise((_resolve, reject) => (fail = reject)));
    const attaching = attachments.attach(bench.owner);
    await bench.settle();
    bench.room.journal.forget();
    bench.room.storage.sql.exec("drop table unrecorded");
    fail(new AppError("database_unavailable", "away"));
    expect(await attaching).toBe(false);
  }));

it("an error that says nothing about anybody's access closes nobody: it is written down later", () =>
  inRoom(async (bench) => {
    let isBroken = true;
    const attachments = attachmentsOf(bench, async () => {
      if (isBroken) throw new Error("could not serialize access due to concurrent update");
      return "write";
    });
    const waiting = () => bench.room.storage.sql.exec("select credential_id from unrecorded").toArray();
    expect(await attachments.attach(bench.owner)).toBe(true);
    expect(waiting()).toHaveLength(1);
    isBroken = false;
    await attachments.writeDown();
    expect(waiting()).toHaveLength(0);
  }));
