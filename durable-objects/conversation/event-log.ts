import type { Journal } from "./journal.ts";

/** An event as it lies in the log; `body` is its JSON. */
export type LogRow = { seq: number; at: string; body: string };

/** The log for those who only pass it on. */
export interface EventLog {
  readonly lastSeq: number;
  /** What comes after a position: at most so many events, and no more once `length` characters are there. */
  rowsAfter(seq: number, limit: { events: number; length: number }): LogRow[];
}

export const eventLog = (journal: Pick<Journal, "lastSeq">, sql: SqlStorage): EventLog => ({
  get lastSeq() {
    return journal.lastSeq;
  },
  rowsAfter: (seq, limit) => {
    const rows: LogRow[] = [];
    let length = 0;
    const query = "select seq, at, body from events where seq > ? order by seq limit ?";
    for (const row of sql.exec<LogRow>(query, seq, limit.events)) {
      rows.push(row);
      length += row.body.length;
      if (length >= limit.length) break;
    }
    return rows;
  },
});

/** The frame of an event as JSON; the stored event need not be read for it. */
export const eventText = (row: LogRow): string =>
  `{"type":"event","seq":${row.seq},"at":${JSON.stringify(row.at)},"event":${row.body}}`;
