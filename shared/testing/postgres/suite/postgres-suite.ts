import { afterAll, beforeAll, describe } from "vitest";
import type { TestDatabase } from "../test-database.ts";
import { catalogueSuite } from "./catalogue.ts";
import { connectorsSuite } from "./connectors.ts";
import { drainOrdersSuite } from "./drain-orders.ts";
import { eventSinkSuite } from "./event-sink.ts";
import { isolationSuite } from "./isolation.ts";
import { jobsSuite } from "./jobs.ts";
import { loginsSuite } from "./logins.ts";
import { maintenanceSuite } from "./maintenance.ts";
import { migratorSuite } from "./migrator.ts";
import { openRooms, type Rooms } from "./people.ts";
import { providerBoundsSuite } from "./provider-bounds.ts";
import { providerEndingsSuite } from "./provider-endings.ts";
import { providersSuite } from "./providers.ts";
import { rotationSuite } from "./rotation.ts";
import { storesSuite } from "./stores.ts";
import { turnConfigurationSuite } from "./turn-configuration.ts";

/** What every Postgres must do for Mosaic, the embedded one and a real one alike. */
export function postgresSuite(name: string, start: () => Promise<TestDatabase>, { real }: { real: boolean }): void {
  describe(name, () => {
    let database: TestDatabase | undefined;
    let rooms: Rooms | undefined;
    const started = <Value>(value: Value | undefined): Value => {
      if (value === undefined) throw new Error("the database was not started");
      return value;
    };
    beforeAll(async () => {
      database = await start();
      rooms = openRooms(database);
    }, 120_000);
    afterAll(() => database?.stop());

    const open = () => started(rooms);
    isolationSuite(open, real);
    catalogueSuite(open);
    eventSinkSuite(open);
    drainOrdersSuite(open);
    jobsSuite(open);
    storesSuite(open);
    providersSuite(open);
    providerEndingsSuite(open);
    providerBoundsSuite(open);
    turnConfigurationSuite(open);
    connectorsSuite(open);
    loginsSuite(open);
    rotationSuite(open);
    maintenanceSuite(open);
    migratorSuite(() => started(database), open);
  });
}
