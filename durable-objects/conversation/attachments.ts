import { CLOSE } from "../../shared/contract/frames.ts";
import type { Principal } from "../../shared/domain/access/principal.ts";
import { PROOF_LIFETIME_MS, PROOF_REFRESH_MS, type Proven } from "../../shared/domain/access/recent-proof.ts";
import { AppError } from "../../shared/domain/app-error.ts";
import type { AccountStore } from "../../shared/ports/account-store.ts";
import type { SignIn } from "../../shared/ports/sign-in.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { AlarmScheduler } from "../alarm-scheduler.ts";
import type { Journal } from "./journal.ts";
import { Proofs } from "./proofs.ts";
import type { Attachment } from "./reader.ts";
import type { Sessions } from "./sessions.ts";
import { Tickets } from "./tickets.ts";

export const ATTACHMENTS_ALARM = "attachments";
/** Nobody waits longer for Postgres to hear of a new attachment; it is told later then. */
const RECORD_DEADLINE_MS = 500;
/** Half of what a proof is good for: who is active has one that lasts some minutes more, at any moment. */
const RENEW_AFTER_MS = PROOF_LIFETIME_MS / 2;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

type Attached = Pick<Attachment, "userId" | "credentialId">;
type Outcome = "recorded" | "refused" | "away";

interface Deps {
  id: string;
  sql: SqlStorage;
  journal: Pick<Journal, "conversation">;
  sessions: Pick<Sessions, "has" | "close">;
  accounts: Pick<AccountStore, "recordAttachment" | "removeAttachment">;
  signIn: Pick<SignIn, "renew">;
  alarms: Pick<AlarmScheduler, "schedule">;
  timers: Pick<Timers, "after">;
  now: () => Date;
  background(work: Promise<unknown>): void;
}

/**
 * Where a revocation has to look for a credential: whoever is attached here, holds a ticket or left a proof of their
 * sign-in is written down in Postgres. A proof is kept only once that is done, so that none can outlive its credential
 * unseen. While Postgres is away, attachments wait in the object's own rows, and whoever has lost their access
 * meanwhile is closed when it is back.
 */
export class Attachments {
  readonly #deps: Deps;
  readonly #proofs: Proofs;
  readonly #tickets: Tickets;
  readonly #noting = new Set<string>();
  /** Epoch milliseconds before which nothing is to be renewed, by credential. */
  readonly #renewAt = new Map<string, number>();
  #tail: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #revocations = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#proofs = new Proofs(deps.sql, deps.now);
    this.#tickets = new Tickets(deps.sql, deps.now);
  }

  /**
   * Writes down someone who is attached already, so that `detach` counts them. Settle it before they hear of success,
   * or a revocation may miss them. Waits half a second at most.
   * @returns false for someone who signed out or cannot see the conversation any more
   */
  async attach(attached: Attached, principal: Principal | null = null): Promise<boolean> {
    if (this.#failures > 0) {
      this.#writeDownLater(attached);
      return true;
    }
    const recording = this.#record(attached, principal);
    const outcome = await this.#withinDeadline(recording);
    if (outcome === "refused") this.#end(attached);
    if (outcome === "recorded" || outcome === "refused") return outcome === "recorded";
    if (!this.#deps.journal.conversation) return false; // deleted meanwhile
    this.#writeDownLater(attached);
    this.#deps.background(recording.then((settled) => this.#settle(attached, settled)));
    return true;
  }

  /** Keeps the proof of this sign-in, if the one that is kept has become old; in the background. */
  note(principal: Principal): void {
    const { proof, credentialId } = principal;
    if (!proof || !this.#deps.journal.conversation || this.#noting.has(credentialId) || !this.#proofs.isWanted(proof))
      return;
    this.#noting.add(credentialId);
    const noted = this.#record(principal, principal)
      .finally(() => this.#noting.delete(credentialId))
      .then((outcome) => {
        if (outcome === "refused") this.#end(principal);
      });
    this.#deps.background(noted);
  }

  /** Someone says something on a socket that is open for long: the proof of their sign-in is renewed, in the background. */
  renew(attached: Attached): void {
    const { journal, now, background } = this.#deps;
    const nowMs = now().getTime();
    const { credentialId } = attached;
    if (nowMs < (this.#renewAt.get(credentialId) ?? 0) || !journal.conversation) return;
    this.#renewAt.set(credentialId, nowMs + RENEW_AFTER_MS);
    const old = this.#proofs.of(credentialId).filter(({ proof }) => proof.provenAt < nowMs - PROOF_REFRESH_MS);
    if (old.length > 0) background(this.#renewAll(attached, old));
  }

  async #renewAll(attached: Attached, old: Proven[]): Promise<void> {
    const { signIn, journal, now } = this.#deps;
    const revocations = this.#revocations;
    const outcome = await this.#record(attached, null);
    if (outcome === "refused") return this.#end(attached);
    if (outcome === "away") return;
    for (const proven of old) {
      const renewed = await signIn.renew(proven, now());
      if (!renewed || !journal.conversation || revocations !== this.#revocations) return;
      this.#proofs.keep(renewed, renewed.proof);
    }
    this.#scheduleForgetting();
  }

  /** Someone is gone. When nothing of their credential is left here, a revocation need not look for it any more. */
  detach(attached: Attached): void {
    const removed = this.#inTurn(async () => {
      const { id, journal, sql, accounts } = this.#deps;
      if (!journal.conversation || this.#isHere(attached.credentialId)) return;
      this.#renewAt.delete(attached.credentialId);
      sql.exec("delete from unrecorded where credential_id = ?", attached.credentialId);
      await accounts.removeAttachment({ userId: attached.userId }, id, attached.credentialId).catch(unlessAway);
    });
    this.#deps.background(removed);
  }

  proofOf(credentialHash: string) {
    return this.#deps.journal.conversation ? this.#proofs.find(credentialHash) : null;
  }

  /** Tickets and proofs end with what they stand for, those that are about to be written too. */
  revoke(what: { credentialId: string } | { userId: string }): void {
    this.#revocations++;
    this.#proofs.revoke(what);
    this.#tickets.revoke(what);
  }

  /** From the alarm. */
  async tend(): Promise<void> {
    if (!this.#deps.journal.conversation) return;
    for (const forgotten of this.#proofs.prune()) this.detach(forgotten);
    this.#scheduleForgetting();
    await this.writeDown();
  }

  /** Postgres may be back: what waits is written down, and who is not allowed any more is closed. */
  async writeDown(): Promise<void> {
    const { journal, sql } = this.#deps;
    if (!journal.conversation) return;
    const waiting = sql
      .exec<{ credential_id: string; user_id: string }>("select credential_id, user_id from unrecorded order by at")
      .toArray();
    for (const row of waiting) {
      const attached = { credentialId: row.credential_id, userId: row.user_id };
      const outcome = this.#isHere(attached.credentialId) ? await this.#record(attached, null) : "recorded";
      if (!journal.conversation) return;
      this.#settle(attached, outcome);
      if (outcome === "away") return;
    }
  }

  async #withinDeadline(recording: Promise<Outcome>): Promise<Outcome | "late"> {
    let stop = (): void => {};
    const late = new Promise<"late">((resolve) => {
      const timer = this.#deps.timers.after(RECORD_DEADLINE_MS, () => resolve("late"));
      stop = () => timer.cancel();
    });
    const outcome = await Promise.race([recording, late]);
    stop();
    return outcome;
  }

  #record(attached: Attached, principal: Principal | null): Promise<Outcome> {
    const { id, accounts, journal } = this.#deps;
    return this.#inTurn(async () => {
      const revocations = this.#revocations;
      try {
        const right = await accounts.recordAttachment({ userId: attached.userId }, id, attached.credentialId);
        this.#failures = 0;
        if (right === "none" || this.#hasOtherRole(attached, right === "write")) return "refused";
      } catch (error) {
        // Whatever went wrong, it says nothing about anybody's access: nobody is closed for it.
        if (!isAway(error)) console.error(`conversation ${id}: an attachment was not written down:`, error);
        this.#failures++;
        return "away";
      }
      // A revocation that came meanwhile did not find this proof.
      if (principal?.proof && journal.conversation && revocations === this.#revocations) {
        this.#proofs.keep(principal, principal.proof);
        this.#scheduleForgetting();
      }
      return "recorded";
    });
  }

  /** A role that changed between the sign-in and here was told to nobody: its sockets were not written down yet. */
  #hasOtherRole({ credentialId }: Attached, mayWrite: boolean): boolean {
    return this.#deps.sessions.has(
      (each) => each.credentialId === credentialId && (each.role !== "viewer") !== mayWrite,
    );
  }

  #settle(attached: Attached, outcome: Outcome): void {
    const { journal, sql, alarms, now } = this.#deps;
    if (!journal.conversation) return;
    if (outcome === "away") {
      return alarms.schedule(ATTACHMENTS_ALARM, now().getTime() + this.#retryDelayMs());
    }
    sql.exec("delete from unrecorded where credential_id = ?", attached.credentialId);
    if (outcome === "refused") this.#end(attached);
  }

  #writeDownLater({ credentialId, userId }: Attached): void {
    const { sql, now, alarms } = this.#deps;
    const at = now().getTime();
    sql.exec(
      "insert or ignore into unrecorded (credential_id, user_id, at) values (?, ?, ?)",
      credentialId,
      userId,
      at,
    );
    alarms.schedule(ATTACHMENTS_ALARM, at + this.#retryDelayMs());
  }

  #retryDelayMs(): number {
    return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, this.#failures - 1));
  }

  /** They signed out or lost their access while nobody could say so. */
  #end({ credentialId }: Attached): void {
    if (!this.#deps.journal.conversation) return;
    this.revoke({ credentialId });
    this.#deps.sessions.close(
      (each) => each.credentialId === credentialId,
      CLOSE.revoked,
      "this sign-in ended, or may not see this conversation any more",
    );
  }

  #isHere(credentialId: string): boolean {
    const { sessions } = this.#deps;
    return (
      sessions.has((each) => each.credentialId === credentialId) ||
      this.#tickets.isPending(credentialId) ||
      this.#proofs.has(credentialId)
    );
  }

  #scheduleForgetting(): void {
    const at = this.#proofs.nextEnd();
    if (at !== null) this.#deps.alarms.schedule(ATTACHMENTS_ALARM, at);
  }

  /** One after the other: the end of an old connection must not erase what the new one of the same credential wrote. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => {});
    return done;
  }
}

const isAway = (error: unknown): boolean => error instanceof AppError && error.code === "database_unavailable";

/** What stays written down too long costs a revocation one call; it is swept with its credential. */
function unlessAway(error: unknown): void {
  if (!isAway(error)) throw error;
}
