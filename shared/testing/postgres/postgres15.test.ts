import { afterAll, beforeAll, describe, it } from "vitest";
import { preparePostgres15 } from "../../../scripts/postgres15.ts";
import { type RealPostgres, startRealPostgres } from "./real-postgres.ts";
import { postgresSuite } from "./suite/postgres-suite.ts";
import { startTestDatabase } from "./test-database.ts";

const missing = await preparePostgres15().then(
  () => null,
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);

// Where the machine cannot have one, the run says so and the embedded database's suite stands alone.
if (missing !== null) {
  describe("Postgres 15", () => it(`was not tested: ${missing}`, () => console.warn(missing)));
} else {
  let server: RealPostgres | undefined;
  beforeAll(async () => {
    server = await startRealPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  const start = async () => {
    if (!server) throw new Error("Postgres 15 was not started");
    return startTestDatabase({ upstreamUrl: await server.makeDatabase() });
  };
  postgresSuite("Postgres 15", start, { real: true });
}
