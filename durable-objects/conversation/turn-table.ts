import type { Part } from "../../shared/contract/message.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import type { NewTurn } from "../../shared/domain/conversation/decide.ts";
import { newProgress, type TurnProgress } from "../../shared/domain/turn/progress.ts";

/**
 * `steering`: its message waits to reach the running turn, and becomes `queued` if it never does. `steered`: it has
 * reached it, and the answer of that turn answers it too.
 */
export type TurnState = "queued" | "running" | "completed" | "failed" | "interrupted" | "steering" | "steered";

export interface Turn extends NewTurn {
  state: TurnState;
  accepted: "started" | "queued" | "steered";
  startedAtMs: number | null;
  restarts: number;
  receipt: Receipt | null;
  /** The answer as it was last saved while it streams. */
  parts: Part[];
  progress: TurnProgress;
  /** The turn that its message was to reach, or has reached. */
  steers: string | null;
}

type TurnRow = {
  id: string;
  message_id: string;
  reply_to: string;
  model: string | null;
  state: string;
  accepted: string;
  started_at: number | null;
  restarts: number;
  receipt: string | null;
  parts: string | null;
  progress: string | null;
  steers: string | null;
  asked_by: string | null;
};

const toTurn = (row: TurnRow): Turn => ({
  id: row.id,
  messageId: row.message_id,
  replyTo: row.reply_to,
  model: row.model,
  state: row.state as TurnState,
  accepted: row.accepted as Turn["accepted"],
  startedAtMs: row.started_at,
  restarts: row.restarts,
  receipt: row.receipt ? (JSON.parse(row.receipt) as Receipt) : null,
  parts: row.parts ? (JSON.parse(row.parts) as Part[]) : [],
  progress: row.progress ? (JSON.parse(row.progress) as TurnProgress) : newProgress(),
  steers: row.steers,
  askedBy: row.asked_by,
});

/** The turns of one conversation: who waits, who runs, how far the running answer is saved. */
export class TurnTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(turn: NewTurn, accepted: Turn["accepted"], position: number, steers: string | null = null): void {
    this.#sql.exec(
      `insert into turns (id, position, message_id, reply_to, model, state, accepted, steers, asked_by)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      turn.id,
      position,
      turn.messageId,
      turn.replyTo,
      turn.model,
      steers === null ? "queued" : "steering",
      accepted,
      steers,
      turn.askedBy,
    );
  }

  find(id: string): Turn | null {
    return this.#one("select * from turns where id = ?", id);
  }

  /** The first turn that a message asked for. */
  firstFor(messageId: string): Turn | null {
    return this.#one("select * from turns where reply_to = ? order by position limit 1", messageId);
  }

  running(): Turn | null {
    return this.#one("select * from turns where state = 'running' order by position limit 1");
  }

  nextQueued(): Turn | null {
    return this.#one("select * from turns where state = 'queued' order by position limit 1");
  }

  openCount(): number {
    const [row] = this.#sql
      .exec<{ n: number }>("select count(*) as n from turns where state in ('queued', 'running', 'steering')")
      .toArray();
    return row?.n ?? 0;
  }

  /** @returns false when the turn does not wait any more. */
  markRunning(id: string, receipt: Receipt, startedAtMs: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      "update turns set state = 'running', receipt = ?, started_at = ? where id = ? and state = 'queued'",
      JSON.stringify(receipt),
      startedAtMs,
      id,
    );
    return rowsWritten > 0;
  }

  countRestart(id: string): void {
    this.#sql.exec("update turns set restarts = restarts + 1 where id = ?", id);
  }

  checkpoint(id: string, parts: readonly Part[]): void {
    this.#sql.exec("update turns set parts = ? where id = ?", JSON.stringify(parts), id);
  }

  /** The answer together with what the turn knows of itself. */
  save(id: string, parts: readonly Part[], progress: TurnProgress): void {
    this.#sql.exec(
      "update turns set parts = ?, progress = ? where id = ?",
      JSON.stringify(parts),
      JSON.stringify(progress),
      id,
    );
  }

  /** Messages that wait to reach a turn, in the order of their coming. */
  steering(id: string): Turn[] {
    const query = "select * from turns where steers = ? and state = 'steering' order by position";
    return this.#sql.exec<TurnRow>(query, id).toArray().map(toTurn);
  }

  /** The message of this turn has reached the one that it steers. */
  markSteered(id: string): void {
    this.#sql.exec("update turns set state = 'steered' where id = ?", id);
  }

  /** Ends a turn. Messages that were to reach it, and those of `unanswered` that did, get the turns of their own. */
  end(id: string, state: "completed" | "failed" | "interrupted", unanswered: readonly string[] = []): void {
    this.#sql.exec("update turns set state = ?, parts = null, progress = null where id = ?", state, id);
    const own = "update turns set state = 'queued', steers = null where steers = ?";
    this.#sql.exec(`${own} and state = 'steering'`, id);
    for (const messageId of unanswered) {
      this.#sql.exec(`${own} and state = 'steered' and reply_to = ?`, id, messageId);
    }
  }

  /** A message that waits to reach a running turn waits for one of its own instead. */
  unsteer(id: string): void {
    this.#sql.exec("update turns set state = 'queued', steers = null where id = ? and state = 'steering'", id);
  }

  /** Turns for a message, or that write it, which have not ended. */
  openFor(messageId: string): Turn[] {
    const query =
      "select * from turns where state in ('queued', 'running', 'steering') and (reply_to = ? or message_id = ?) order by position";
    return this.#sql.exec<TurnRow>(query, messageId, messageId).toArray().map(toTurn);
  }

  #one(query: string, ...args: string[]): Turn | null {
    const [row] = this.#sql.exec<TurnRow>(query, ...args).toArray();
    return row ? toTurn(row) : null;
  }
}
