/** The three roles that may sign in at the endpoint, under these names. */
export const ROLES = ["owner", "app_user", "auth_user"] as const;
export type Role = (typeof ROLES)[number];

export interface SqlQuery {
  query: string;
  /** Values in Postgres' own text form. */
  params: (string | null)[];
}

/** How a batch wants its transaction; null means a single statement outside of one. */
export interface BatchOptions {
  isolationLevel?: "READ UNCOMMITTED" | "READ COMMITTED" | "REPEATABLE READ" | "SERIALIZABLE";
  readOnly?: boolean;
  deferrable?: boolean;
}

export interface ResultField {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
  dataTypeSize: number;
  dataTypeModifier: number;
  format: "text";
}

/** One statement's result as Neon's HTTP protocol puts it: every value raw Postgres text. */
export interface SqlResult {
  command: string;
  rowCount: number | null;
  rowAsArray: true;
  rows: (string | null)[][];
  fields: ResultField[];
}

const ERROR_FIELDS = [
  "severity",
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;
type ErrorField = (typeof ERROR_FIELDS)[number];

/** What Postgres itself said against a statement. */
export class SqlError extends Error {
  readonly fields: { [field in ErrorField]?: string };

  constructor(message: string, fields: { [field in ErrorField]?: string }) {
    super(message);
    this.name = "SqlError";
    this.fields = fields;
  }

  /** Takes what both PGlite and `pg` throw; null when the error is not Postgres' own. */
  static of(error: unknown): SqlError | null {
    if (!(error instanceof Error) || !("code" in error) || !("severity" in error)) return null;
    const fields: { [field in ErrorField]?: string } = {};
    for (const name of ERROR_FIELDS) {
      const value: unknown = Reflect.get(error, name);
      if (typeof value === "string") fields[name] = value;
    }
    return new SqlError(error.message, fields);
  }
}

/** Where the endpoint sends what it is asked: the embedded PGlite or any Postgres over TCP. */
export interface Backend {
  /**
   * Runs one unit of work as `role`, as one transaction when `batch` is given.
   * @throws SqlError when Postgres refuses; any other error means that it could not be reached.
   */
  run(role: Role, queries: readonly SqlQuery[], batch: BatchOptions | null): Promise<SqlResult[]>;
  close(): Promise<void>;
}

export function beginStatement(batch: BatchOptions): string {
  const words = ["BEGIN"];
  if (batch.isolationLevel) words.push(`ISOLATION LEVEL ${batch.isolationLevel}`);
  if (batch.readOnly !== undefined) words.push(batch.readOnly ? "READ ONLY" : "READ WRITE");
  if (batch.deferrable !== undefined) words.push(batch.deferrable ? "DEFERRABLE" : "NOT DEFERRABLE");
  return words.join(" ");
}

/** Reads a command tag: `INSERT 0 3` is command `INSERT` with 3 rows. */
export function readCommandTag(tag: string): { command: string; rowCount: number | null } {
  const words = tag.split(" ");
  const count = Number(words.at(-1));
  return { command: words[0] ?? "", rowCount: words.length > 1 && Number.isInteger(count) ? count : null };
}
