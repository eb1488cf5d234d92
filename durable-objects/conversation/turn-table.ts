import type { Part } from "../../shared/contract/message.ts";
import type { Receipt } from "../../shared/contract/receipt.ts";
import type { NewTurn } from "../../shared/domain/conversation/decide.ts";

export type TurnState = "queued" | "running" | "completed" | "failed" | "interrupted";

export interface Turn extends NewTurn {
  state: TurnState;
  accepted: "started" | "queued" | "steered";
  startedAtMs: number | null;
  restarts: number;
  receipt: Receipt | null;
  /** The answer as it was last saved while it streams. */
  parts: Part[];
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
});

/** The turns of one conversation: who waits, who runs, how far the running answer is saved. */
export class TurnTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(turn: NewTurn, accepted: Turn["accepted"], position: number): void {
    this.#sql.exec(
      "insert into turns (id, position, message_id, reply_to, model, state, accepted) values (?, ?, ?, ?, ?, 'queued', ?)",
      turn.id,
      position,
      turn.messageId,
      turn.replyTo,
      turn.model,
      accepted,
    );
  }

  find(id: string): Turn | null {
    return this.#one("select * from turns where id = ?", id);
  }

  /** The first turn that a message asked for. */
  askedBy(messageId: string): Turn | null {
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
      .exec<{ n: number }>("select count(*) as n from turns where state in ('queued', 'running')")
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

  end(id: string, state: Exclude<TurnState, "queued" | "running">): void {
    this.#sql.exec("update turns set state = ?, parts = null where id = ?", state, id);
  }

  /** Turns for a message, or that write it, which have not ended. */
  openFor(messageId: string): Turn[] {
    const query =
      "select * from turns where state in ('queued', 'running') and (reply_to = ? or message_id = ?) order by position";
    return this.#sql.exec<TurnRow>(query, messageId, messageId).toArray().map(toTurn);
  }

  #one(query: string, ...args: string[]): Turn | null {
    const [row] = this.#sql.exec<TurnRow>(query, ...args).toArray();
    return row ? toTurn(row) : null;
  }
}
