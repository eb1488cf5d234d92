import type { TestProject } from "vitest/node";
import { startTestDatabase } from "../postgres/test-database.ts";

/** One migrated database for all tests in workerd: `inject("databaseAppUrl")` and its neighbours tell where it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { appUrl, authUrl, ownerUrl, endpoint, stop } = await startTestDatabase();
  project.provide("databaseAppUrl", appUrl);
  project.provide("databaseAuthUrl", authUrl);
  project.provide("databaseEndpoint", endpoint);
  project.provide("databaseOwnerUrl", ownerUrl);
  return stop;
}
