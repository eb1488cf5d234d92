import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Scheduler } from "./scheduler.ts";

interface Prepared {
  statement: StatementSync;
  reads: boolean;
  returns: boolean;
  /** SQLite compiles a statement anew each time a limit is bound to it; with the number in its text it does not. */
  limited: Map<number, string> | null;
  /** The tables it names. */
  tables: Table[];
  /** What it answered last, by its arguments: true as long as no table it names has been written. */
  answers: Map<string, { rows: Values[]; writes: number }>;
  /** Of what it answers. */
  columns: string[];
}

interface Table {
  name: string;
  /** How often something in it may have changed. */
  writes: number;
}

type Row = Record<string, unknown>;
type Values = unknown[];

/** Of one statement; then its oldest are as good as gone. */
const MOST_ANSWERS = 50;
const EVERY_TABLE = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";

/** What `sql.exec` answers, as far as the object uses it. */
class Cursor {
  readonly rowsWritten: number;
  readonly #rows: Row[];
  constructor(rows: Row[], rowsWritten: number) {
    this.#rows = rows;
    this.rowsWritten = rowsWritten;
  }
  toArray(): Row[] {
    return this.#rows;
  }
  one(): Row {
    const [row] = this.#rows;
    if (!row || this.#rows.length > 1) throw new Error("Expected exactly one result from SQL query.");
    return row;
  }
  [Symbol.iterator](): IterableIterator<Row> {
    return this.#rows[Symbol.iterator]();
  }
}

/**
 * An object's storage with workerd's output gate: what is written becomes durable at the next flush, what is sent after
 * a write waits for that flush, and a crash before it takes both away. One database serves every schedule of a process.
 */
export class Disk {
  readonly #database = new DatabaseSync(":memory:");
  readonly #prepared = new Map<string, Prepared>();
  #tables: Table[] = [];
  #scheduler: Scheduler | null = null;
  #flushDelayMs: () => number = () => 0;
  #onFlush: () => void = () => {};
  #dirty = false;
  #held: (() => void)[] = [];
  #depth = 0;
  /** Epoch ms, as the running object sees it. */
  alarm: number | null = null;
  /** As it is on disk: this one fires. */
  durableAlarm: number | null = null;
  /** The alarm whose handler runs: on disk until it has succeeded. */
  firingAlarm: number | null = null;
  failNextWrites = 0;

  /** A fresh, empty disk for another schedule. */
  begin(scheduler: Scheduler, flushDelayMs: () => number, onFlush: () => void): void {
    this.#rollback();
    this.#scheduler = scheduler;
    this.#flushDelayMs = flushDelayMs;
    this.#onFlush = onFlush;
    this.#held = [];
    this.alarm = null;
    this.durableAlarm = null;
    this.firingAlarm = null;
    this.failNextWrites = 0;
    this.#empty();
  }

  get isDirty(): boolean {
    return this.#dirty;
  }

  exec(query: string, ...bindings: unknown[]): Cursor {
    const prepared = this.#prepare(query);
    if (!prepared) {
      this.#touch();
      this.#database.exec(query);
      this.#learnTables();
      return new Cursor([], 0);
    }
    const args = bindings as SQLInputValue[];
    if (prepared.limited) return this.exec(withLimit(query, prepared.limited, Number(args.pop())), ...args);
    if (prepared.reads) return new Cursor(this.#answer(prepared, args), 0);
    this.#touch();
    for (const table of prepared.tables) table.writes++;
    if (prepared.returns) {
      const rows = prepared.statement.all(...args) as Row[];
      return new Cursor(rows, rows.length);
    }
    return new Cursor([], Number(prepared.statement.run(...args).changes));
  }

  transactionSync<Value>(work: () => Value): Value {
    this.#touch();
    const name = `level${this.#depth++}`;
    this.#run(`savepoint ${name}`);
    try {
      const value = work();
      this.#run(`release ${name}`);
      return value;
    } catch (error) {
      this.#run(`rollback to ${name}`);
      this.#run(`release ${name}`);
      this.#forgetAnswers();
      throw error;
    } finally {
      this.#depth--;
    }
  }

  setAlarm(atMs: number | null): void {
    this.#touch();
    this.alarm = atMs;
  }

  /** Runs `release` when everything written so far is durable; never, should a crash come first. */
  gate(release: () => void): void {
    if (this.#dirty) this.#held.push(release);
    else release();
  }

  flush(): void {
    if (!this.#dirty) return;
    this.#run("commit");
    this.#dirty = false;
    this.durableAlarm = this.alarm ?? this.firingAlarm;
    const held = this.#held;
    this.#held = [];
    this.#onFlush();
    for (const release of held) release();
  }

  /** Power is lost: what was not flushed was never written, what waited for it is never sent. */
  crash(): void {
    this.#rollback();
    this.#held = [];
    this.alarm = this.durableAlarm;
    this.firingAlarm = null;
  }

  /** The object erases itself; durable with the next flush like every write. */
  deleteAll(): void {
    this.#touch();
    this.#empty();
  }

  /** The disk itself is lost. */
  lose(): void {
    this.crash();
    this.alarm = null;
    this.durableAlarm = null;
    this.#empty();
  }

  /** Rows for whoever checks; not for the object. */
  read(query: string): Row[] {
    const prepared = this.#prepare(query);
    return prepared ? this.#answer(prepared, []) : [];
  }

  /** Rows go, tables stay: making them anew would take a third of a schedule's time. */
  #empty(): void {
    for (const table of this.#tables) {
      this.#run(table.name === "meta" ? "delete from meta where key != 'schema'" : `delete from ${table.name}`);
    }
    this.#forgetAnswers();
  }

  #touch(): void {
    if (this.failNextWrites > 0 && this.failNextWrites-- > 0) throw new Error("database or disk is full: SQLITE_FULL");
    if (this.#dirty) return;
    this.#dirty = true;
    this.#run("begin");
    this.#scheduler?.after(this.#flushDelayMs(), "disk:flush", () => this.flush());
  }

  #rollback(): void {
    if (this.#dirty) this.#run("rollback");
    this.#dirty = false;
    this.#forgetAnswers();
  }

  /** The same question of the same tables has the same answer: half of all reads need not ask the database again. */
  #answer({ statement, tables, answers, columns }: Prepared, args: SQLInputValue[]): Row[] {
    let writes = 0;
    for (const table of tables) writes += table.writes;
    let key = "";
    for (const arg of args) key += `${typeof arg} ${arg}\n`;
    const known = answers.get(key);
    if (known?.writes === writes) return known.rows.map((values) => rowOf(columns, values));
    const rows = statement.all(...args) as unknown as Values[];
    if (answers.size >= MOST_ANSWERS) answers.clear();
    answers.set(key, { rows, writes });
    return rows.map((values) => rowOf(columns, values));
  }

  #forgetAnswers(): void {
    for (const table of this.#tables) table.writes++;
  }

  /** The schema may have changed: what was prepared is prepared again, with the tables there are now. */
  #learnTables(): void {
    this.#prepared.clear();
    this.#tables = (this.#database.prepare(EVERY_TABLE).all() as Row[]).map(({ name }) => ({
      name: String(name),
      writes: 0,
    }));
  }

  #run(query: string): void {
    this.#prepare(query)?.statement.run();
  }

  #prepare(query: string): Prepared | null {
    const known = this.#prepared.get(query);
    if (known) return known;
    const text = query.trim();
    if (/;\s*\S/.test(text) || /^(create|alter|drop)\b/i.test(text)) return null;
    const reads = /^(select|with\b[\s\S]*\)\s*select|explain)/i.test(text);
    const statement = this.#database.prepare(query);
    // Rows as lists: objects made here cost half of those that come from SQLite.
    if (reads) statement.setReturnArrays(true);
    const made: Prepared = {
      statement,
      reads,
      columns: statement.columns().map(({ name }) => name),
      returns: /\breturning\b/i.test(text),
      limited: /\blimit \?$/i.test(text) ? new Map<number, string>() : null,
      tables: this.#tables.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(text)),
      answers: new Map(),
    };
    this.#prepared.set(query, made);
    return made;
  }
}

function rowOf(columns: readonly string[], values: Values): Row {
  const row: Row = {};
  for (let at = 0; at < columns.length; at++) row[columns[at] as string] = values[at];
  return row;
}

function withLimit(query: string, known: Map<number, string>, limit: number): string {
  const text = known.get(limit) ?? `${query.slice(0, query.lastIndexOf("?"))}${limit}`;
  known.set(limit, text);
  return text;
}
