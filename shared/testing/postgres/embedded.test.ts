import { postgresSuite } from "./suite/postgres-suite.ts";
import { startTestDatabase } from "./test-database.ts";

postgresSuite("embedded Postgres", () => startTestDatabase(), { real: false });
