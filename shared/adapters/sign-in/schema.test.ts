import { getAuthTables } from "better-auth/db";
import { getTableColumns } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { signInTables } from "../postgres/schema/sign-in.ts";
import { createSignInDatabase } from "../postgres/sign-in-database.ts";
import { createAnnounce } from "./announce.ts";
import { buildAuth } from "./build-auth.ts";
import type { SignInOptions } from "./sign-in-options.ts";
import { createSignUpPolicy } from "./sign-up-policy.ts";

const nothing = async () => {};
const options: SignInOptions = {
  database: createSignInDatabase({ connectionString: "postgres://auth_user:x@nowhere.test/db" }),
  settings: {
    PUBLIC_URL: "http://mosaic.test",
    ALLOWED_ORIGINS: [],
    BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef",
    SIGN_UP: "open",
    OIDC_NAME: "",
  },
  mailer: { send: nothing },
  accounts: { workspaces: async () => [] },
  events: { revoked: nothing, membershipChanged: nothing },
  runInBackground: () => {},
};
const oidc = { discoveryUrl: "http://issuer.test", clientId: "a", clientSecret: "b", name: "c" };
const auth = buildAuth(
  options,
  createSignUpPolicy(options.database, options.settings),
  createAnnounce(options.events),
  oidc,
);

const DATA_TYPE: Record<string, string> = { string: "string", boolean: "boolean", number: "number", date: "date" };

describe("the sign-in tables", () => {
  const expected = Object.entries(getAuthTables(auth.options));

  it("hold every model that better-auth and its plugins use, and no other", () => {
    expect(Object.keys(signInTables).sort()).toEqual(expected.map(([model]) => model).sort());
  });

  it.each(expected)("%s has each field with the right type, uniqueness and reference", (model, { fields }) => {
    const table = Object.entries(signInTables).find(([name]) => name === model)?.[1];
    if (!table) throw new Error(`no table for ${model}`);
    const columns = Object.entries(getTableColumns(table));
    const config = getTableConfig(table);
    for (const [name, field] of Object.entries(fields)) {
      const column = columns.find(([key]) => key === name)?.[1];
      if (!column) throw new Error(`${model}.${name} is missing`);
      expect([name, column.dataType]).toEqual([name, DATA_TYPE[String(field.type)]]);
      if (field.unique) expect([name, column.isUnique]).toEqual([name, true]);
      if (field.required === false) expect([name, column.notNull && !column.hasDefault]).toEqual([name, false]);
      if (field.references) {
        const referring = config.foreignKeys.flatMap((key) => key.reference().columns.map((one) => one.name));
        expect(referring).toContain(column.name);
      }
    }
    expect(columns.find(([key]) => key === "id")?.[1].columnType).toBe("PgUUID");
  });

  it("keep times with their zone and foreign keys indexed", () => {
    for (const table of Object.values(signInTables)) {
      const config = getTableConfig(table);
      for (const column of config.columns) {
        if (column.dataType === "date") expect(column.getSQLType()).toBe("timestamp with time zone");
      }
      const indexed = new Set([
        ...config.indexes.map(({ config: { columns } }) =>
          "name" in (columns[0] ?? {}) ? Reflect.get(columns[0] ?? {}, "name") : "",
        ),
        ...config.uniqueConstraints.map(({ columns }) => columns[0]?.name),
        ...config.columns.filter(({ isUnique }) => isUnique).map(({ name }) => name),
      ]);
      for (const key of config.foreignKeys) {
        for (const { name } of key.reference().columns)
          expect([config.name, name, indexed.has(name)]).toEqual([config.name, name, true]);
      }
    }
  });
});
